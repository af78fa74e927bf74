// What the RPC SimulateRule does, once the caller is admitted. Knows protobuf messages but not gRPC. Thread-safe; owns
// nothing.
#pragma once

#include "absl/status/statusor.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/event_ledger.h"

namespace davit::rule_engine {

// Tries rules on past events. Writes nothing.
class SimulationCalls {
 public:
  // All parameters must outlive this.
  SimulationCalls(EventLedger& ledger, EventEvaluator& evaluator, Clock& clock)
      : ledger_(ledger), evaluator_(evaluator), clock_(clock) {}

  // See davit.rules.v1.RuleEngine.SimulateRule.
  absl::StatusOr<rules::v1::SimulateRuleResponse> Simulate(const auth::Caller& caller,
                                                           const rules::v1::SimulateRuleRequest& request);

 private:
  // What the rule makes of one event.
  rules::v1::Simulation Try(const Rule& rule, const Event& event);

  EventLedger& ledger_;
  EventEvaluator& evaluator_;
  Clock& clock_;
};

}  // namespace davit::rule_engine
