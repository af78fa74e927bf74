// Which of two builds owns a moving tag, and how a build ends whose tags have been worked off. Pure; usable from any
// thread.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "services/scheduler/domain/build_state.h"

namespace davit::scheduler {

// What becomes of one tag of a build. The numbers are stored.
enum class TagOutcome : int16_t {
  kPending = 0,
  kSet = 1,
  kNewerOwnsIt = 2,
};

// Decides for a build with `sequence` when the tag belongs to the build with `head_sequence` (0 = to none). The build
// itself may set its tag again: that is how a set whose end is unknown is repeated.
TagOutcome DecideTag(int64_t sequence, int64_t head_sequence);

// How the build ends: kSuperseded when it had tags and newer builds own all of them, else kSucceeded.
BuildState EndOfPublishing(absl::Span<const TagOutcome> outcomes);

}  // namespace davit::scheduler
