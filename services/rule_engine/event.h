// Events of the ledger and what rules made of them. Values only; no threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "davit/rules/v1/event.pb.h"

namespace davit::rule_engine {

// Why a rule built or did not; the numbers are those of davit.rules.v1.RuleExplanation.Reason, which documents them.
enum class Reason {
  kMatched = 1,
  kRuleDisabled = 2,
  kBranchNotMatched = 3,
  kTagNotMatched = 4,
  kAlreadyBuilt = 5,
  kNoTag = 6,
  kBuildRefused = 7,
  kRefExcluded = 8,
  kPathsNotMatched = 9,
  kAuthorNotMatched = 10,
  kSkipMark = 11,
};

// What one rule made of an event.
struct Explanation {
  std::string rule_id;
  std::string rule_display_name;
  Reason reason = Reason::kMatched;
  // The same for people.
  std::string detail;
  // The build, once the scheduler has it.
  std::string build_id;
  std::vector<std::string> tags;
};

// Where an event came from; numbers as davit.rules.v1.Event.Kind.
enum class EventKind { kWebhook = 1, kManual = 2, kReconciled = 3 };

// How far it has come; numbers as davit.rules.v1.Event.State.
enum class EventState { kReceived = 1, kEvaluated = 2, kIgnored = 3 };

// What a provider says that a push changed.
struct ChangedPaths {
  std::vector<std::string> paths;
  // Why there may be more; empty = these are all.
  std::string incomplete;
};

// An entry of the ledger.
struct Event {
  std::string id;
  std::string project;
  EventKind kind = EventKind::kWebhook;
  EventState state = EventState::kReceived;
  std::string connection_id;
  // Whose delivery ids `delivery_id` is one of: the webhook, for a manual event the rule, for a reconciled one the
  // connection.
  std::string source_id;
  // Unique for its source. A manual event without a request id has its own id here.
  std::string delivery_id;
  std::map<std::string, std::string> headers;
  rules::v1::PushEvent push;
  // What the provider answered; nullopt = it was not asked, or has not answered yet.
  std::optional<ChangedPaths> changes = std::nullopt;
  std::string detail;
  std::vector<Explanation> explanations;
  absl::Time receive_time;
  std::optional<absl::Time> evaluate_time;
};

// A build that a rule asks for, on its way to the scheduler.
struct BuildOrder {
  std::string rule_id;
  // Full ref; empty for a bare commit.
  std::string ref;
  std::string commit;
  // Names the order to the scheduler: sending it again makes no second build.
  std::string request_id;
  // The serialized davit.scheduler.v1.CreateBuildRequest.
  std::string request;
  // The rule's build number that its tags name; 0 = none.
  int64_t number = 0;
};

// What one rule makes of an event: the explanation and, when it matched, the order.
struct Outcome {
  Explanation explanation;
  std::optional<BuildOrder> order;
};

// What becomes of an event.
struct Evaluation {
  EventState state = EventState::kEvaluated;
  std::string detail;
  std::vector<Outcome> outcomes;
  // Whether an outcome depends on paths that the push does not name and that its provider was not asked for. The
  // outcomes are then those without an answer: they build rather than lose the push.
  bool wants_changes = false;
};

}  // namespace davit::rule_engine
