// The states of a build and of its attempts, and which state may follow which. Values only; usable from any thread.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace davit::scheduler {

// The state of a build. The numbers are stored, and are those of davit.scheduler.v1.BuildState.
enum class BuildState : int16_t {
  kQueued = 1,
  kRunning = 2,
  kPublishing = 3,
  kSucceeded = 4,
  kFailed = 5,
  kCancelled = 6,
  kTimedOut = 7,
  kSuperseded = 8,
  kHeld = 9,
};

// Where a running build is. The numbers are stored, and are those of davit.scheduler.v1.BuildPhase.
enum class BuildPhase : int16_t { kNone = 0, kFetching = 1, kBuilding = 2, kPushing = 3 };

// Whose fault a failure is. The numbers are stored, and are those of davit.scheduler.v1.FailureClass.
enum class FailureClass : int16_t { kNone = 0, kUser = 1, kInfrastructure = 2 };

// How an attempt ended. The numbers are stored, and are those of davit.scheduler.v1.BuildAttempt.Outcome.
enum class AttemptOutcome : int16_t {
  kRunning = 0,
  kSucceeded = 1,
  kFailed = 2,
  kCancelled = 3,
  kTimedOut = 4,
  kLost = 5
};

// Every state, in the order of the numbers.
absl::Span<const BuildState> AllBuildStates();

// "QUEUED", "RUNNING", …
absl::string_view BuildStateName(BuildState state);

// Whether a build may go from one state to the other. A state never follows itself.
bool MayFollow(BuildState from, BuildState to);

// Whether the build has ended: nothing follows.
bool IsTerminal(BuildState state);

}  // namespace davit::scheduler
