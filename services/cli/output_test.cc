// Tests of output.h.
#include "services/cli/output.h"

#include <gtest/gtest.h>

#include "davit/scheduler/v1/build.pb.h"

namespace davit::cli {
namespace {

google::protobuf::Timestamp At(int64_t seconds, int nanos = 0) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(nanos);
  return time;
}

TEST(OutputTest, JsonHasTheFieldNamesOfTheProtoFiles) {
  davit::scheduler::v1::Build build;
  build.set_id("bld_1");
  build.set_image_digest("sha256:1");
  const std::string json = ToJson(build);
  EXPECT_NE(json.find("\"image_digest\": \"sha256:1\""), std::string::npos) << json;
  EXPECT_EQ(json.back(), '\n');
}

TEST(OutputTest, TableColumnsAreAlignedByCharacters) {
  EXPECT_EQ(ToTable({"ID", "NAME"}, {{"con_1",
                                      "grö\xc3\x9f"
                                      "e"},
                                     {"con_22", ""}}),
            "ID      NAME\n"
            "con_1   gr\xc3\xb6\xc3\x9f"
            "e\n"
            "con_22  -\n");
}

TEST(OutputTest, FieldsWithoutAValueAreLeftOut) {
  EXPECT_EQ(ToFields({{"id", "x"}, {"failure", ""}, {"state", "queued"}}), "id:    x\nstate: queued\n");
}

TEST(OutputTest, AServersTextCannotSteerTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\nc"), "a[31mb c");
  EXPECT_EQ(ToFields({{"failure", "a\nid: b"}}), "failure: a id: b\n");
}

TEST(OutputTest, EnumsAreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(EnumText("BUILD_STATE_TIMED_OUT", "BUILD_STATE_"), "timed-out");
  EXPECT_EQ(EnumText("STATE_UNSPECIFIED", "STATE_"), "");
}

TEST(OutputTest, TimesAreUtcAndDurationsShort) {
  EXPECT_EQ(TimeText(At(1767225600)), "2026-01-01 00:00:00Z");
  EXPECT_EQ(TimeText(At(0)), "");
  EXPECT_EQ(DurationText(At(100), At(165, 700000000)), "1m5s");
  EXPECT_EQ(DurationText(At(100), At(101, 250000000)), "1.2s");
  EXPECT_EQ(DurationText(At(100), At(0)), "");
}

TEST(OutputTest, RefsAreShort) {
  EXPECT_EQ(RefText("refs/heads/feature/x"), "feature/x");
  EXPECT_EQ(RefText("refs/tags/v1"), "tag v1");
}

}  // namespace
}  // namespace davit::cli
