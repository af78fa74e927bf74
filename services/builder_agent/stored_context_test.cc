// Tests of services/builder_agent/stored_context.h.
#include "services/builder_agent/stored_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/buildkit/context_walk.h"

namespace davit::builder_agent {
namespace {

using ::testing::ElementsAre;

StoredContext::ContentReader Text(std::string text) {
  return [text = std::move(text), given = false](std::string& piece) mutable -> absl::StatusOr<bool> {
    piece = text;
    return !std::exchange(given, true);
  };
}

std::string Content(const buildkit::ContextSource& source, const std::string& path) {
  std::string content;
  EXPECT_TRUE(source
                  .ReadFile(*source.Find(path),
                            [&](absl::string_view piece) {
                              absl::StrAppend(&content, piece);
                              return absl::OkStatus();
                            })
                  .ok());
  return content;
}

std::vector<std::string> Paths(const buildkit::ContextSource& source) {
  std::vector<std::string> paths;
  const auto entries =
      source.Walk([](absl::string_view, buildkit::EntryKind) { return buildkit::WalkDecision::kInclude; });
  for (const auto& entry : *entries) paths.push_back(entry.path);
  return paths;
}

class StoredContextTest : public ::testing::Test {
 protected:
  StoredContextTest()
      : context_(*StoredContext::Create(::testing::TempDir() + "/data", {.max_bytes = 100, .max_entries = 8})) {}

  std::unique_ptr<StoredContext> context_;
};

TEST_F(StoredContextTest, WhatWasAddedIsListedInPathOrderAndReadBack) {
  ASSERT_TRUE(context_->AddFile("./b/x", 0755, Text("run")).ok());
  ASSERT_TRUE(context_->AddFile("b-a", 0644, Text("text")).ok());
  ASSERT_TRUE(context_->AddLink("b/link", "../b-a").ok());
  ASSERT_TRUE(context_->AddHardLink("same", "b/x").ok());
  EXPECT_THAT(Paths(*context_), ElementsAre("b", "b/link", "b/x", "b-a", "same"));
  EXPECT_EQ(Content(*context_, "b/x"), "run");
  EXPECT_EQ(Content(*context_, "same"), "run");
  EXPECT_EQ(context_->Find("b/x")->permissions, 0755u);
  EXPECT_EQ(context_->Find("b/x")->content_id, context_->Find("same")->content_id);
  EXPECT_NE(context_->Find("b/x")->content_id, context_->Find("b-a")->content_id);
}

TEST_F(StoredContextTest, PathsAndLinksThatLeadOutAreRefused) {
  ASSERT_TRUE(context_->AddLink("link", "elsewhere").ok());
  const absl::Status refused[] = {
      context_->AddFile("../x", 0644, Text("")),
      context_->AddFile("/etc/passwd", 0644, Text("")),
      context_->AddFile("a/../../x", 0644, Text("")),
      context_->AddLink("l", "/etc/passwd"),
      context_->AddLink("a/l", "../../x"),
      context_->AddFile("link/below", 0644, Text("")),
      context_->AddDirectory("..", 0755),
  };
  for (const absl::Status& status : refused) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StartsWith(status.message(), "path leaves the context")) << status;
  }
  EXPECT_FALSE(context_->AddHardLink("h", "nothing").ok());
}

TEST_F(StoredContextTest, TooManyBytesOrEntriesAreRefused) {
  const absl::Status bytes = context_->AddFile("big", 0644, Text(std::string(101, 'x')));
  EXPECT_EQ(bytes.message(), "context over the limit 100 bytes");
  EXPECT_EQ(context_->CheckRoom(101).message(), "context over the limit 100 bytes");
  absl::Status entries;
  for (int i = 0; i < 9 && entries.ok(); ++i) entries = context_->AddDirectory(absl::StrCat("d", i), 0755);
  EXPECT_EQ(entries.message(), "context over the limit 8 entries");
}

TEST_F(StoredContextTest, ASubdirectoryIsAContextOfItsOwn) {
  ASSERT_TRUE(context_->AddFile("app/src/main.c", 0644, Text("int main;")).ok());
  ASSERT_TRUE(context_->AddFile("application", 0644, Text("no")).ok());
  const SubdirectoryContext sub(*context_, "app");
  EXPECT_THAT(Paths(sub), ElementsAre("src", "src/main.c"));
  EXPECT_EQ(Content(sub, "src/main.c"), "int main;");
  EXPECT_EQ(sub.Find("../application").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace davit::builder_agent
