// Tests of retry_policy.h.
#include "services/scheduler/domain/retry_policy.h"

#include <gtest/gtest.h>

namespace davit::scheduler {
namespace {

constexpr AttemptEnd kAllEnds[] = {
    AttemptEnd::kSucceeded, AttemptEnd::kFailedUser,      AttemptEnd::kFailedInfrastructure,
    AttemptEnd::kCancelled, AttemptEnd::kTimedOut,        AttemptEnd::kLost,
    AttemptEnd::kReturned,  AttemptEnd::kSessionReplaced, AttemptEnd::kNotStarted};

RetryPolicy Policy() {
  return {.max_attempts = 3, .initial_delay = absl::Seconds(2), .max_delay = absl::Seconds(5), .jitter = 0.5};
}

TEST(RetryPolicyTest, EveryNextStepMayFollowARunningBuild) {
  for (const AttemptEnd end : kAllEnds) {
    for (const bool cancel : {false, true}) {
      for (const int failures : {0, 1, 2, 9}) {
        EXPECT_TRUE(MayFollow(BuildState::kRunning, DecideNextStep(end, cancel, failures, Policy(), 0).state));
      }
    }
  }
}

TEST(RetryPolicyTest, AUsersMistakeIsNeverTriedAgain) {
  const NextStep step = DecideNextStep(AttemptEnd::kFailedUser, false, 0, Policy(), 0);
  EXPECT_EQ(step.state, BuildState::kFailed);
  EXPECT_FALSE(step.counts_as_failure);
  EXPECT_EQ(FailureClassOf(AttemptEnd::kFailedUser), FailureClass::kUser);
}

TEST(RetryPolicyTest, InfrastructureFailuresAreTriedAgainUntilTheAttemptsAreUsedUp) {
  for (const AttemptEnd end : {AttemptEnd::kFailedInfrastructure, AttemptEnd::kLost, AttemptEnd::kSessionReplaced}) {
    EXPECT_EQ(DecideNextStep(end, false, 0, Policy(), 0).state, BuildState::kQueued);
    EXPECT_EQ(DecideNextStep(end, false, 1, Policy(), 0).state, BuildState::kQueued);
    EXPECT_EQ(DecideNextStep(end, false, 2, Policy(), 0).state, BuildState::kFailed);
    EXPECT_TRUE(DecideNextStep(end, false, 0, Policy(), 0).counts_as_failure);
    EXPECT_EQ(FailureClassOf(end), FailureClass::kInfrastructure);
  }
}

TEST(RetryPolicyTest, DelaysDoubleUpToTheMaximumAndAreJittered) {
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, false, 0, Policy(), 0).delay, absl::Seconds(2));
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, false, 1, Policy(), 0).delay, absl::Seconds(4));
  RetryPolicy many = Policy();
  many.max_attempts = 10;
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, false, 7, many, 0).delay, absl::Seconds(5));
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, false, 0, Policy(), 0.5).delay, absl::Milliseconds(1500));
}

TEST(RetryPolicyTest, AReplacedSessionIsTriedAgainAtOnce) {
  EXPECT_EQ(DecideNextStep(AttemptEnd::kSessionReplaced, false, 0, Policy(), 0).delay, absl::ZeroDuration());
}

TEST(RetryPolicyTest, WhatWasGivenBackDoesNotCount) {
  for (const AttemptEnd end : {AttemptEnd::kReturned, AttemptEnd::kNotStarted}) {
    const NextStep step = DecideNextStep(end, false, 99, Policy(), 0);
    EXPECT_EQ(step.state, BuildState::kQueued);
    EXPECT_FALSE(step.counts_as_failure);
  }
  EXPECT_GT(DecideNextStep(AttemptEnd::kNotStarted, false, 0, Policy(), 0).delay, absl::ZeroDuration());
}

TEST(RetryPolicyTest, ARequestedCancellationEndsTheBuildHoweverTheAttemptEnded) {
  for (const AttemptEnd end : kAllEnds) {
    const BuildState expected = end == AttemptEnd::kTimedOut ? BuildState::kTimedOut : BuildState::kCancelled;
    EXPECT_EQ(DecideNextStep(end, true, 0, Policy(), 0).state, expected);
  }
}

TEST(RetryPolicyTest, ACancellationThatNobodyAskedForIsAnInfrastructureFailure) {
  const NextStep step = DecideNextStep(AttemptEnd::kCancelled, false, 0, Policy(), 0);
  EXPECT_EQ(step.state, BuildState::kQueued);
  EXPECT_TRUE(step.counts_as_failure);
}

TEST(RetryPolicyTest, ASuccessIsPublished) {
  const NextStep step = DecideNextStep(AttemptEnd::kSucceeded, false, 0, Policy(), 0);
  EXPECT_EQ(step.state, BuildState::kPublishing);
  EXPECT_EQ(step.outcome, AttemptOutcome::kSucceeded);
}

}  // namespace
}  // namespace davit::scheduler
