// Implements queue_explanation.h.
#include "services/scheduler/domain/queue_explanation.h"

#include "absl/strings/str_cat.h"

namespace davit::scheduler {

QueueExplanation ExplainWait(const QueueFacts& facts) {
  QueueExplanation explanation;
  explanation.position = facts.ahead + 1;
  explanation.not_before = facts.not_before;
  if (facts.not_before.has_value()) {
    explanation.reason = WaitReason::kBackoff;
    explanation.detail = absl::StrCat("tried again after ", facts.failures, " infrastructure failure(s), not before ",
                                      absl::FormatTime(absl::RFC3339_sec, *facts.not_before, absl::UTCTimeZone()));
  } else if (facts.rule_running.has_value()) {
    explanation.reason = WaitReason::kRuleLimit;
    explanation.detail = absl::StrCat("the rule has ", *facts.rule_running, " of at most ", facts.rule_max_running,
                                      " builds at a time; position ", explanation.position, " of those that wait");
  } else if (facts.ready_agents == 0) {
    explanation.reason = WaitReason::kNoAgent;
    explanation.detail = "no agent is there, or all are draining";
  } else if (facts.running >= facts.max_running) {
    explanation.reason = WaitReason::kProjectLimit;
    explanation.detail =
        absl::StrCat("the project runs ", facts.running, " of at most ", facts.max_running, " builds at a time");
  } else {
    explanation.reason = WaitReason::kWaitingForSlot;
    explanation.detail =
        absl::StrCat(facts.ready_agents, " agent(s) run ", facts.leases, " build(s) and have ", facts.free_slots,
                     " free slot(s); position ", explanation.position, " in the project");
  }
  return explanation;
}

}  // namespace davit::scheduler
