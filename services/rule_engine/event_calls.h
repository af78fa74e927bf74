// What the RPCs about events do, once the caller is admitted. Knows protobuf messages but not gRPC. Thread-safe; owns
// nothing.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/metrics/metrics.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/event_ledger.h"
#include "services/rule_engine/rule_store.h"
#include "services/rule_engine/source_directory.h"

namespace davit::rule_engine {

// Called when there is new work for a loop.
struct Wakeups {
  std::function<void()> events_received;
  std::function<void()> builds_ordered;
};

// See davit.rules.v1.RuleEngine for each call.
class EventCalls {
 public:
  // All references must outlive this.
  EventCalls(RuleStore& rules, EventLedger& ledger, EventEvaluator& evaluator, SourceDirectory& directory, Clock& clock,
             metrics::Registry& metrics, Wakeups wakeups);

  absl::StatusOr<rules::v1::IngestEventResponse> Ingest(const auth::Caller& caller,
                                                        const rules::v1::IngestEventRequest& request);
  absl::StatusOr<rules::v1::IngestEventsResponse> IngestAll(const auth::Caller& caller,
                                                            const rules::v1::IngestEventsRequest& request);
  absl::StatusOr<rules::v1::ListEventsResponse> List(const auth::Caller& caller,
                                                     const rules::v1::ListEventsRequest& request);
  absl::StatusOr<rules::v1::GetEventResponse> Get(const auth::Caller& caller,
                                                  const rules::v1::GetEventRequest& request);
  absl::StatusOr<rules::v1::ReplayEventResponse> Replay(const auth::Caller& caller,
                                                        const rules::v1::ReplayEventRequest& request);
  absl::StatusOr<rules::v1::TriggerRuleResponse> TriggerRule(const auth::Caller& caller,
                                                             const rules::v1::TriggerRuleRequest& request);

 private:
  void Count(const Event& event, const Recorded& recorded);
  // Resolves the revision and stores the manual event; returns its id.
  absl::StatusOr<std::string> Trigger(const auth::Caller& caller, const Rule& rule,
                                      const rules::v1::TriggerRuleRequest& request);

  RuleStore& rules_;
  EventLedger& ledger_;
  EventEvaluator& evaluator_;
  SourceDirectory& directory_;
  Clock& clock_;
  const Wakeups wakeups_;
  metrics::Counter ingested_;
  metrics::Counter ignored_;
  metrics::Counter repeated_;
};

}  // namespace davit::rule_engine
