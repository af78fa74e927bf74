// Implements tag_order.h.
#include "services/scheduler/domain/tag_order.h"

namespace davit::scheduler {

TagOutcome DecideTag(int64_t sequence, int64_t head_sequence) {
  return head_sequence > sequence ? TagOutcome::kNewerOwnsIt : TagOutcome::kSet;
}

BuildState EndOfPublishing(absl::Span<const TagOutcome> outcomes) {
  if (outcomes.empty()) return BuildState::kSucceeded;
  for (const TagOutcome outcome : outcomes) {
    if (outcome != TagOutcome::kNewerOwnsIt) return BuildState::kSucceeded;
  }
  return BuildState::kSuperseded;
}

}  // namespace davit::scheduler
