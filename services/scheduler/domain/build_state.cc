// Implements build_state.h.
#include "services/scheduler/domain/build_state.h"

namespace davit::scheduler {
namespace {

constexpr BuildState kAllStates[] = {
    BuildState::kQueued,    BuildState::kRunning,  BuildState::kPublishing, BuildState::kSucceeded, BuildState::kFailed,
    BuildState::kCancelled, BuildState::kTimedOut, BuildState::kSuperseded, BuildState::kHeld,
};

struct Transition {
  BuildState from;
  BuildState to;
};

// The one table of what may follow what.
constexpr Transition kTransitions[] = {
    {BuildState::kHeld, BuildState::kQueued},            // approved
    {BuildState::kHeld, BuildState::kCancelled},         //
    {BuildState::kQueued, BuildState::kRunning},         // claimed
    {BuildState::kQueued, BuildState::kCancelled},       //
    {BuildState::kQueued, BuildState::kSuperseded},      // a newer build of its group
    {BuildState::kRunning, BuildState::kQueued},         // retried, or given back
    {BuildState::kRunning, BuildState::kPublishing},     // the image is pushed
    {BuildState::kRunning, BuildState::kFailed},         //
    {BuildState::kRunning, BuildState::kCancelled},      //
    {BuildState::kRunning, BuildState::kTimedOut},       //
    {BuildState::kRunning, BuildState::kSuperseded},     // a newer build of its group had it stopped
    {BuildState::kPublishing, BuildState::kSucceeded},   // at least one tag is set, or there were none
    {BuildState::kPublishing, BuildState::kSuperseded},  // newer builds own all of them
    {BuildState::kPublishing, BuildState::kFailed},      // the registry refuses
};

}  // namespace

absl::Span<const BuildState> AllBuildStates() { return kAllStates; }

absl::string_view BuildStateName(BuildState state) {
  switch (state) {
    case BuildState::kQueued:
      return "QUEUED";
    case BuildState::kRunning:
      return "RUNNING";
    case BuildState::kPublishing:
      return "PUBLISHING";
    case BuildState::kSucceeded:
      return "SUCCEEDED";
    case BuildState::kFailed:
      return "FAILED";
    case BuildState::kCancelled:
      return "CANCELLED";
    case BuildState::kTimedOut:
      return "TIMED_OUT";
    case BuildState::kSuperseded:
      return "SUPERSEDED";
    case BuildState::kHeld:
      return "HELD";
  }
  return "UNKNOWN";
}

bool MayFollow(BuildState from, BuildState to) {
  for (const Transition& transition : kTransitions) {
    if (transition.from == from && transition.to == to) return true;
  }
  return false;
}

bool IsTerminal(BuildState state) {
  for (const Transition& transition : kTransitions) {
    if (transition.from == state) return false;
  }
  return true;
}

}  // namespace davit::scheduler
