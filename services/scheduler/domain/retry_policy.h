// What becomes of a build when one of its attempts ends: the whole policy of retries. Pure; usable from any thread.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "services/scheduler/domain/build_state.h"

namespace davit::scheduler {

// Why an attempt ended.
enum class AttemptEnd {
  kSucceeded,             // the agent pushed the image
  kFailedUser,            // the agent says that the input is wrong
  kFailedInfrastructure,  // the agent could not do its work
  kCancelled,             // the agent stopped the build
  kTimedOut,              // over the build's time limit
  kLost,                  // the lease expired
  kSessionReplaced,       // the agent came back as a new process
  kReturned,              // the agent gave the build back unfinished
  kNotStarted,            // the lease never left the scheduler: its credentials could not be granted
};

// Whether somebody wants the build to end.
enum class StopRequest {
  kNone,
  kCancel,     // a person
  kSupersede,  // a newer build
};

// How often and when infrastructure failures are tried again.
struct RetryPolicy {
  // Attempts that may fail for an infrastructure reason before the build fails, at least 1.
  int max_attempts = 3;
  // The first delay; it doubles with each failure up to the maximum.
  absl::Duration initial_delay = absl::Seconds(2);
  absl::Duration max_delay = absl::Minutes(2);
  // The random part of a delay, 0 to 1, that is taken off.
  double jitter = 0.3;
};

// The step that follows an attempt.
struct NextStep {
  // kQueued, kPublishing or a terminal state; always one that may follow kRunning.
  BuildState state = BuildState::kFailed;
  // With kQueued: how long the build waits first.
  absl::Duration delay = absl::ZeroDuration();
  // Whether the attempt counts as an infrastructure failure.
  bool counts_as_failure = false;
  // What the attempt's record says.
  AttemptOutcome outcome = AttemptOutcome::kLost;
};

// Decides. `failures` is how many attempts failed for infrastructure reasons before this one; `fraction` in [0, 1) is
// the draw for the jitter. A request to stop wins over everything but a time-out: an image whose build was cancelled or
// superseded is not published, and a lost build that was is not tried again.
NextStep DecideNextStep(AttemptEnd end, StopRequest stop, int failures, const RetryPolicy& policy, double fraction);

// Whose fault the attempt's end is; kNone when it is no failure.
FailureClass FailureClassOf(AttemptEnd end);

}  // namespace davit::scheduler
