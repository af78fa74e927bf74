// Tests of annotate.h.
#include "libs/status/annotate.h"

#include <gtest/gtest.h>

#include "absl/strings/cord.h"

namespace davit {
namespace {

TEST(AnnotateTest, KeepsOk) { EXPECT_TRUE(Annotate(absl::OkStatus(), "Failed to dial").ok()); }

TEST(AnnotateTest, PutsTheActionInFrontAndKeepsCodeAndPayloads) {
  absl::Status status = absl::NotFoundError("no such build");
  status.SetPayload("davit/hint", absl::Cord("look elsewhere"));
  const absl::Status annotated = Annotate(status, "Failed to cancel");
  EXPECT_EQ(annotated.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(annotated.message(), "Failed to cancel: no such build");
  EXPECT_EQ(annotated.GetPayload("davit/hint"), absl::Cord("look elsewhere"));
}

}  // namespace
}  // namespace davit
