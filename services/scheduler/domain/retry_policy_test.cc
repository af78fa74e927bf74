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
    for (const StopRequest stop : {StopRequest::kNone, StopRequest::kCancel, StopRequest::kSupersede}) {
      for (const int failures : {0, 1, 2, 9}) {
        EXPECT_TRUE(MayFollow(BuildState::kRunning, DecideNextStep(end, stop, failures, Policy(), 0).state));
      }
    }
  }
}

TEST(RetryPolicyTest, AUsersMistakeIsNeverTriedAgain) {
  const NextStep step = DecideNextStep(AttemptEnd::kFailedUser, StopRequest::kNone, 0, Policy(), 0);
  EXPECT_EQ(step.state, BuildState::kFailed);
  EXPECT_FALSE(step.counts_as_failure);
  EXPECT_EQ(FailureClassOf(AttemptEnd::kFailedUser), FailureClass::kUser);
}

TEST(RetryPolicyTest, InfrastructureFailuresAreTriedAgainUntilTheAttemptsAreUsedUp) {
  for (const AttemptEnd end : {AttemptEnd::kFailedInfrastructure, AttemptEnd::kLost, AttemptEnd::kSessionReplaced}) {
    EXPECT_EQ(DecideNextStep(end, StopRequest::kNone, 0, Policy(), 0).state, BuildState::kQueued);
    EXPECT_EQ(DecideNextStep(end, StopRequest::kNone, 1, Policy(), 0).state, BuildState::kQueued);
    EXPECT_EQ(DecideNextStep(end, StopRequest::kNone, 2, Policy(), 0).state, BuildState::kFailed);
    EXPECT_TRUE(DecideNextStep(end, StopRequest::kNone, 0, Policy(), 0).counts_as_failure);
    EXPECT_EQ(FailureClassOf(end), FailureClass::kInfrastructure);
  }
}

TEST(RetryPolicyTest, DelaysDoubleUpToTheMaximumAndAreJittered) {
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, StopRequest::kNone, 0, Policy(), 0).delay, absl::Seconds(2));
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, StopRequest::kNone, 1, Policy(), 0).delay, absl::Seconds(4));
  RetryPolicy many = Policy();
  many.max_attempts = 10;
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, StopRequest::kNone, 7, many, 0).delay, absl::Seconds(5));
  EXPECT_EQ(DecideNextStep(AttemptEnd::kLost, StopRequest::kNone, 0, Policy(), 0.5).delay, absl::Milliseconds(1500));
}

TEST(RetryPolicyTest, AReplacedSessionIsTriedAgainAtOnce) {
  EXPECT_EQ(DecideNextStep(AttemptEnd::kSessionReplaced, StopRequest::kNone, 0, Policy(), 0).delay,
            absl::ZeroDuration());
}

TEST(RetryPolicyTest, WhatWasGivenBackDoesNotCount) {
  for (const AttemptEnd end : {AttemptEnd::kReturned, AttemptEnd::kNotStarted}) {
    const NextStep step = DecideNextStep(end, StopRequest::kNone, 99, Policy(), 0);
    EXPECT_EQ(step.state, BuildState::kQueued);
    EXPECT_FALSE(step.counts_as_failure);
  }
  EXPECT_GT(DecideNextStep(AttemptEnd::kNotStarted, StopRequest::kNone, 0, Policy(), 0).delay, absl::ZeroDuration());
}

TEST(RetryPolicyTest, ARequestToStopEndsTheBuildHoweverTheAttemptEnded) {
  for (const AttemptEnd end : kAllEnds) {
    const bool timed_out = end == AttemptEnd::kTimedOut;
    EXPECT_EQ(DecideNextStep(end, StopRequest::kCancel, 0, Policy(), 0).state,
              timed_out ? BuildState::kTimedOut : BuildState::kCancelled);
    EXPECT_EQ(DecideNextStep(end, StopRequest::kSupersede, 0, Policy(), 0).state,
              timed_out ? BuildState::kTimedOut : BuildState::kSuperseded);
  }
}

TEST(RetryPolicyTest, ACancellationThatNobodyAskedForIsAnInfrastructureFailure) {
  const NextStep step = DecideNextStep(AttemptEnd::kCancelled, StopRequest::kNone, 0, Policy(), 0);
  EXPECT_EQ(step.state, BuildState::kQueued);
  EXPECT_TRUE(step.counts_as_failure);
}

TEST(RetryPolicyTest, ASuccessIsPublished) {
  const NextStep step = DecideNextStep(AttemptEnd::kSucceeded, StopRequest::kNone, 0, Policy(), 0);
  EXPECT_EQ(step.state, BuildState::kPublishing);
  EXPECT_EQ(step.outcome, AttemptOutcome::kSucceeded);
}

}  // namespace
}  // namespace davit::scheduler
