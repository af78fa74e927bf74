// Tests of retry.h.
#include "libs/status/retry.h"

#include <gtest/gtest.h>

#include "libs/ids/testing/fake_random.h"

namespace davit {
namespace {

TEST(RetryTest, OnlyPassingTroubleIsRetried) {
  EXPECT_TRUE(IsRetryable(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(IsRetryable(absl::StatusCode::kAborted));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kOk));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kInvalidArgument));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kInternal));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kCancelled));
}

TEST(BackoffTest, WaitsGrowUpToTheMaximumAndStartOverAfterReset) {
  FakeRandom random;
  Backoff backoff(absl::Seconds(1), absl::Seconds(5), 2, 0, random);
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(), absl::Seconds(2));
  EXPECT_EQ(backoff.Next(), absl::Seconds(4));
  EXPECT_EQ(backoff.Next(), absl::Seconds(5));
  EXPECT_EQ(backoff.Next(), absl::Seconds(5));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
}

TEST(BackoffTest, JitterShortensAWaitByAtMostItsShare) {
  FakeRandom random;
  Backoff backoff(absl::Seconds(10), absl::Seconds(10), 1, 0.5, random);
  absl::Duration previous;
  for (int i = 0; i < 100; ++i) {
    const absl::Duration wait = backoff.Next();
    EXPECT_GE(wait, absl::Seconds(5));
    EXPECT_LE(wait, absl::Seconds(10));
    EXPECT_NE(wait, previous);
    previous = wait;
  }
}

}  // namespace
}  // namespace davit
