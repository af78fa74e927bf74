// Tests of services/builder_agent/log_spool.h.
#include "services/builder_agent/log_spool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/match.h"

namespace davit::builder_agent {
namespace {

std::string SpoolPath() { return ::testing::TempDir() + "/spool.log"; }

TEST(LogSpoolTest, WhatWasAppendedIsReadFromAnyOffset) {
  const auto spool = *LogSpool::Create(SpoolPath(), 1 << 20);
  spool->AppendOutput("hello ");
  spool->AppendNote("world");
  EXPECT_EQ(*spool->Read(0, 100), "hello world");
  EXPECT_EQ(*spool->Read(6, 3), "wor");
  EXPECT_EQ(*spool->Read(11, 3), "");
  EXPECT_EQ(*spool->Read(500, 3), "");
  EXPECT_EQ(spool->size(), 11);
}

TEST(LogSpoolTest, OutputOverTheLimitIsDroppedAndTheLogSaysWhereAndHowMuch) {
  const int64_t limit = LogSpool::kNoteRoom + 10;
  const auto spool = *LogSpool::Create(SpoolPath(), limit);
  spool->AppendOutput("0123456789abc");
  spool->AppendOutput("more");
  spool->AppendNote("ERROR: step 2 exited 1\n");
  const std::string text = *spool->Read(0, 1 << 20);
  EXPECT_TRUE(absl::StartsWith(text, "0123456789\n[davit] the log is over its limit")) << text;
  EXPECT_TRUE(absl::StrContains(text, "[davit] 7 bytes of output were dropped here\nERROR: step 2 exited 1\n")) << text;
  EXPECT_LE(spool->size(), limit);
}

TEST(LogSpoolTest, AReaderIsWokenByCloseAndAppend) {
  const auto spool = *LogSpool::Create(SpoolPath(), 1 << 20);
  EXPECT_FALSE(spool->AwaitMore(0, absl::ZeroDuration()));
  spool->AppendOutput("x");
  EXPECT_TRUE(spool->AwaitMore(0, absl::ZeroDuration()));
  EXPECT_FALSE(spool->AwaitMore(1, absl::ZeroDuration()));
  spool->Close();
  EXPECT_TRUE(spool->AwaitMore(1, absl::ZeroDuration()));
  spool->AppendOutput("late");
  EXPECT_EQ(spool->size(), 1);
}

TEST(LogSpoolTest, TheFileGoesWithTheSpool) {
  { const auto spool = *LogSpool::Create(SpoolPath(), 1 << 20); }
  EXPECT_NE(access(SpoolPath().c_str(), F_OK), 0);
}

}  // namespace
}  // namespace davit::builder_agent
