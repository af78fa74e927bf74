// Implements retry_policy.h.
#include "services/scheduler/domain/retry_policy.h"

#include <algorithm>

namespace davit::scheduler {
namespace {

AttemptOutcome OutcomeOf(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kSucceeded:
      return AttemptOutcome::kSucceeded;
    case AttemptEnd::kFailedUser:
    case AttemptEnd::kFailedInfrastructure:
      return AttemptOutcome::kFailed;
    case AttemptEnd::kCancelled:
      return AttemptOutcome::kCancelled;
    case AttemptEnd::kTimedOut:
      return AttemptOutcome::kTimedOut;
    case AttemptEnd::kLost:
    case AttemptEnd::kSessionReplaced:
    case AttemptEnd::kReturned:
    case AttemptEnd::kNotStarted:
      return AttemptOutcome::kLost;
  }
  return AttemptOutcome::kLost;
}

absl::Duration DelayAfter(int failures, const RetryPolicy& policy, double fraction) {
  absl::Duration delay = policy.initial_delay;
  for (int i = 0; i < failures && delay < policy.max_delay; ++i) delay *= 2;
  delay = std::min(delay, policy.max_delay);
  return delay - delay * (policy.jitter * fraction);
}

}  // namespace

NextStep DecideNextStep(AttemptEnd end, StopRequest stop, int failures, const RetryPolicy& policy, double fraction) {
  NextStep step;
  step.outcome = OutcomeOf(end);
  if (end == AttemptEnd::kTimedOut) {
    step.state = BuildState::kTimedOut;
    return step;
  }
  if (stop != StopRequest::kNone) {
    step.state = stop == StopRequest::kCancel ? BuildState::kCancelled : BuildState::kSuperseded;
    return step;
  }
  switch (end) {
    case AttemptEnd::kSucceeded:
      step.state = BuildState::kPublishing;
      return step;
    case AttemptEnd::kFailedUser:
      step.state = BuildState::kFailed;
      return step;
    case AttemptEnd::kReturned:
      step.state = BuildState::kQueued;
      return step;
    case AttemptEnd::kNotStarted:
      step.state = BuildState::kQueued;
      step.delay = DelayAfter(0, policy, fraction);
      return step;
    case AttemptEnd::kTimedOut:
    case AttemptEnd::kCancelled:  // Nobody asked for it: the agent's fault, so it is bounded like one.
    case AttemptEnd::kFailedInfrastructure:
    case AttemptEnd::kLost:
    case AttemptEnd::kSessionReplaced:
      break;
  }
  step.counts_as_failure = true;
  if (failures + 1 >= policy.max_attempts) {
    step.state = BuildState::kFailed;
    return step;
  }
  step.state = BuildState::kQueued;
  // A new process of the agent is there already: nothing speaks for waiting.
  if (end != AttemptEnd::kSessionReplaced) step.delay = DelayAfter(failures, policy, fraction);
  return step;
}

FailureClass FailureClassOf(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kSucceeded:
      return FailureClass::kNone;
    case AttemptEnd::kFailedUser:
    case AttemptEnd::kTimedOut:
      return FailureClass::kUser;
    case AttemptEnd::kFailedInfrastructure:
    case AttemptEnd::kCancelled:
    case AttemptEnd::kLost:
    case AttemptEnd::kSessionReplaced:
    case AttemptEnd::kReturned:
    case AttemptEnd::kNotStarted:
      return FailureClass::kInfrastructure;
  }
  return FailureClass::kInfrastructure;
}

}  // namespace davit::scheduler
