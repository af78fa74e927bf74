// Explanations, orders and ends of events, written by the transaction that evaluates them.
#include "services/rule_engine/postgres_evaluation.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/build_order.h"
#include "services/rule_engine/postgres_rows.h"
#include "services/rule_engine/queries.h"

namespace davit::rule_engine {
namespace {

using postgres::ReadText;
using postgres::Transaction;

absl::Status InsertExplanation(Transaction& transaction, const Event& event, int position, const Explanation& made) {
  const std::optional<std::string> build_id =
      made.build_id.empty() ? std::nullopt : std::optional<std::string>(made.build_id);
  return transaction
      .Execute(queries::kInsertExplanation, event.id, made.rule_id, event.project, position, made.rule_display_name,
               static_cast<int>(made.reason), made.detail, build_id, TextsToJson(made.tags))
      .status();
}

// Takes the build number that the order's tags name. ABORTED, on which the transaction runs again, when another event
// has just taken it.
absl::Status TakeNumber(Transaction& transaction, const Event& event, const BuildOrder& order) {
  if (order.number == 0) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result taken,
                         transaction.Execute(queries::kTakeBuildNumber, event.project, order.rule_id, order.number));
  return taken.empty() ? absl::AbortedError("another build of the rule has just got this number") : absl::OkStatus();
}

absl::Status InsertOrder(Transaction& transaction, const Event& event, const BuildOrder& order) {
  DAVIT_RETURN_IF_ERROR(TakeNumber(transaction, event, order));
  return transaction
      .Execute(queries::kInsertBuildOrder, event.project, order.rule_id, order.ref, order.commit, event.id,
               order.request_id, postgres::Bytes{order.request})
      .status();
}

// Claims (rule, ref, commit) for the event; false when it was claimed before.
absl::StatusOr<bool> InsertRuleBuild(Transaction& transaction, const Event& event, const BuildOrder& order) {
  DAVIT_ASSIGN_OR_RETURN(
      const pqxx::result inserted,
      transaction.Execute(queries::kInsertRuleBuild, order.rule_id, order.ref, order.commit, event.project, event.id));
  return !inserted.empty();
}

// The event for which (rule, ref, commit) was built; empty when it was not.
absl::StatusOr<std::string> EventThatBuilt(Transaction& transaction, const BuildOrder& order) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                         transaction.Execute(queries::kGetRuleBuild, order.rule_id, order.ref, order.commit));
  return rows.empty() ? std::string() : ReadText(rows[0]["event_id"]);
}

void ExplainAlreadyBuilt(const std::string& event_id, Explanation& explanation) {
  explanation.reason = Reason::kAlreadyBuilt;
  explanation.detail =
      absl::StrCat("this commit of the ref was built for ", event_id, "; trigger the rule by hand to build it again");
}

// Writes what one rule makes of an event: its order, unless the rule has asked for that build before, and its
// explanation.
absl::Status WriteOutcome(Transaction& transaction, const Event& event, int position, Outcome& outcome) {
  if (outcome.order.has_value()) {
    const BuildOrder& order = *outcome.order;
    DAVIT_ASSIGN_OR_RETURN(const bool first, InsertRuleBuild(transaction, event, order));
    if (first) {
      DAVIT_RETURN_IF_ERROR(InsertOrder(transaction, event, order));
    } else {
      DAVIT_ASSIGN_OR_RETURN(const std::string builder, EventThatBuilt(transaction, order));
      ExplainAlreadyBuilt(builder, outcome.explanation);
    }
  }
  return InsertExplanation(transaction, event, position, outcome.explanation);
}

// An event and its place in the queue.
struct QueuedEvent {
  int64_t place = 0;
  Event event;
};

// Project, connection and RepositoryKey: what events and rules meet by.
using Meeting = std::tuple<std::string, std::string, std::string>;
using RulesByMeeting = std::map<Meeting, absl::StatusOr<std::vector<Rule>>>;

Meeting MeetingOf(const Event& event) {
  return {event.project, event.connection_id, RepositoryKey(event.push.repository())};
}

// The rules for all of the events; an error in place of those that cannot be read.
absl::StatusOr<RulesByMeeting> RulesFor(Transaction& transaction, absl::Span<const QueuedEvent> events) {
  RulesByMeeting rules;
  for (const QueuedEvent& queued : events) rules.emplace(MeetingOf(queued.event), std::vector<Rule>());
  std::vector<std::string> projects, connections, repositories;
  for (const auto& [meeting, none] : rules) {
    projects.push_back(std::get<0>(meeting));
    connections.push_back(std::get<1>(meeting));
    repositories.push_back(std::get<2>(meeting));
  }
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                         transaction.Execute(queries::kSelectRulesOfRepositories, projects, connections, repositories));
  for (const pqxx::row& row : rows) {
    absl::StatusOr<std::vector<Rule>>& known =
        rules[Meeting(ReadText(row["project"]), ReadText(row["connection_id"]), ReadText(row["repository_key"]))];
    absl::StatusOr<Rule> rule = ReadRule(row);
    if (!rule.ok()) {
      known = rule.status();
    } else if (known.ok()) {
      known->push_back(*std::move(rule));
    }
  }
  return rules;
}

// Events that have been looked at, and what became of them.
struct FinishedEvents {
  std::vector<int64_t> places;
  std::vector<std::string> ids, projects, states, details;

  void Add(const QueuedEvent& queued, EventState state, absl::string_view detail) {
    places.push_back(queued.place);
    ids.push_back(queued.event.id);
    projects.push_back(queued.event.project);
    states.emplace_back(StateWord(state));
    details.emplace_back(detail);
  }
};

absl::Status Finish(Transaction& transaction, const FinishedEvents& finished) {
  return transaction
      .Execute(queries::kFinishEvents, finished.places, finished.ids, finished.projects, finished.states,
               finished.details)
      .status();
}

// Evaluates the events of a transaction together: their rules are read, and their ends are written, by one statement.
class BatchEvaluation {
 public:
  BatchEvaluation(Transaction& transaction, RecentEvents& recent, EventLedger::Evaluate evaluate)
      : transaction_(transaction), recent_(recent), evaluate_(evaluate) {}

  absl::Status Run(const pqxx::result& claimed) {
    std::vector<std::string> others;
    for (const pqxx::row& row : claimed) {
      std::string id = ReadText(row[1]);
      if (std::optional<Event> event = recent_.Take(id)) {
        events_.push_back({row[0].as<int64_t>(), *std::move(event)});
      } else {
        others.push_back(std::move(id));
      }
    }
    if (!others.empty()) DAVIT_RETURN_IF_ERROR(Read(others));
    if (!events_.empty()) DAVIT_RETURN_IF_ERROR(Evaluate());
    if (!waiting_ids_.empty()) {
      DAVIT_RETURN_IF_ERROR(
          transaction_.Execute(queries::kInsertChangeRequests, waiting_ids_, waiting_projects_).status());
    }
    return finished_.places.empty() ? absl::OkStatus() : Finish(transaction_, finished_);
  }

 private:
  // Reads what this replica has not stored itself, or not lately.
  absl::Status Read(const std::vector<std::string>& ids) {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction_.Execute(queries::kGetQueuedEvents, ids));
    for (const pqxx::row& row : rows) {
      QueuedEvent queued{row["seq"].as<int64_t>(), {}};
      absl::StatusOr<Event> event = ReadEvent(row);
      if (event.ok()) {
        queued.event = *std::move(event);
        events_.push_back(std::move(queued));
      } else {
        queued.event.id = ReadText(row["id"]);
        queued.event.project = ReadText(row["project"]);
        DAVIT_RETURN_IF_ERROR(GiveUp(queued, event.status()));
      }
    }
    const auto earlier = [](const QueuedEvent& a, const QueuedEvent& b) { return a.place < b.place; };
    std::sort(events_.begin(), events_.end(), earlier);
    return absl::OkStatus();
  }

  // What cannot be read must not hold up every other event.
  absl::Status GiveUp(const QueuedEvent& queued, const absl::Status& status) {
    if (!absl::IsDataLoss(status)) return status;
    finished_.Add(queued, EventState::kIgnored, status.message());
    return absl::OkStatus();
  }

  absl::Status Evaluate() {
    DAVIT_ASSIGN_OR_RETURN(RulesByMeeting rules, RulesFor(transaction_, events_));
    for (const QueuedEvent& queued : events_) {
      absl::StatusOr<std::vector<Rule>>& known = rules.at(MeetingOf(queued.event));
      DAVIT_RETURN_IF_ERROR(known.ok() ? EvaluateOne(queued, *known) : GiveUp(queued, known.status()));
    }
    return absl::OkStatus();
  }

  absl::Status EvaluateOne(const QueuedEvent& queued, std::vector<Rule>& rules) {
    const Event& event = queued.event;
    Evaluation evaluation = evaluate_(event, rules);
    if (evaluation.wants_changes) {
      waiting_ids_.push_back(event.id);
      waiting_projects_.push_back(event.project);
      return absl::OkStatus();
    }
    int position = 0;
    for (Outcome& outcome : evaluation.outcomes) {
      DAVIT_RETURN_IF_ERROR(WriteOutcome(transaction_, event, position++, outcome));
      // Later events of the batch see the number that this one took.
      if (outcome.explanation.reason == Reason::kMatched) NoteNumber(*outcome.order, rules);
    }
    finished_.Add(queued, evaluation.state, evaluation.detail);
    return absl::OkStatus();
  }

  static void NoteNumber(const BuildOrder& order, std::vector<Rule>& rules) {
    for (Rule& rule : rules) {
      if (rule.id == order.rule_id && order.number > 0) rule.build_number = order.number;
    }
  }

  Transaction& transaction_;
  RecentEvents& recent_;
  const EventLedger::Evaluate evaluate_;
  std::vector<QueuedEvent> events_;
  FinishedEvents finished_;
  std::vector<std::string> waiting_ids_;  // of events whose changed paths are to be asked for
  std::vector<std::string> waiting_projects_;
};

absl::Status ReplaceExplanation(Transaction& transaction, const Event& event, int position, const Explanation& made) {
  return transaction
      .Execute(queries::kReplaceExplanation, event.id, made.rule_id, event.project, position, made.rule_display_name,
               static_cast<int>(made.reason), made.detail, TextsToJson(made.tags))
      .status();
}

// Writes what one rule makes of an event that it has looked at before; returns how many builds it ordered.
absl::StatusOr<int> RewriteOutcome(Transaction& transaction, const Event& event, int position, Outcome& outcome,
                                   const ReplayOptions& options) {
  BuildOrder asked;
  asked.rule_id = outcome.explanation.rule_id;
  asked.ref = event.push.ref();
  asked.commit = event.push.after();
  DAVIT_ASSIGN_OR_RETURN(const std::string builder, EventThatBuilt(transaction, asked));
  int ordered = 0;
  if (outcome.order.has_value() && builder.empty()) {
    DAVIT_RETURN_IF_ERROR(InsertRuleBuild(transaction, event, *outcome.order).status());
    DAVIT_RETURN_IF_ERROR(InsertOrder(transaction, event, WithoutSuperseding(*outcome.order)));
    ordered = 1;
  } else if (outcome.order.has_value() && options.rebuild == Rebuild::kForced) {
    const BuildOrder order =
        WithRequestId(WithoutSuperseding(*outcome.order),
                      absl::StrCat("replay/", event.id, "/", asked.rule_id, "/", options.request_id));
    DAVIT_RETURN_IF_ERROR(TakeNumber(transaction, event, order));
    DAVIT_RETURN_IF_ERROR(transaction
                              .Execute(queries::kInsertForcedBuildOrder, event.project, order.rule_id, order.ref,
                                       order.commit, event.id, order.request_id, postgres::Bytes{order.request})
                              .status());
    ordered = 1;
  } else if (builder == event.id) {
    return 0;
  } else if (outcome.order.has_value()) {
    ExplainAlreadyBuilt(builder, outcome.explanation);
  }
  DAVIT_RETURN_IF_ERROR(ReplaceExplanation(transaction, event, position, outcome.explanation));
  return ordered;
}

}  // namespace

absl::Status WriteManualOutcome(Transaction& transaction, const Event& event, const Outcome& outcome) {
  DAVIT_RETURN_IF_ERROR(InsertRuleBuild(transaction, event, *outcome.order).status());
  DAVIT_RETURN_IF_ERROR(InsertOrder(transaction, event, *outcome.order));
  return InsertExplanation(transaction, event, 0, outcome.explanation);
}

absl::Status EvaluateQueued(Transaction& transaction, const pqxx::result& claimed, RecentEvents& recent,
                            EventLedger::Evaluate evaluate) {
  return BatchEvaluation(transaction, recent, evaluate).Run(claimed);
}

absl::StatusOr<int> EvaluateAgain(Transaction& transaction, const Event& event, const ReplayOptions& options,
                                  EventLedger::Evaluate evaluate) {
  const QueuedEvent past{0, event};
  DAVIT_ASSIGN_OR_RETURN(const RulesByMeeting found, RulesFor(transaction, absl::MakeConstSpan(&past, 1)));
  const absl::StatusOr<std::vector<Rule>>& rules = found.begin()->second;
  if (!rules.ok()) return rules.status();
  Evaluation evaluation = evaluate(event, *rules);
  int ordered = 0;
  int position = 0;
  for (Outcome& outcome : evaluation.outcomes) {
    DAVIT_ASSIGN_OR_RETURN(const int builds, RewriteOutcome(transaction, event, position++, outcome, options));
    ordered += builds;
  }
  DAVIT_RETURN_IF_ERROR(transaction
                            .Execute(queries::kReplaceEventOutcome, event.id, event.project,
                                     StateWord(evaluation.state),
                                     absl::StrCat(evaluation.detail, "; replayed by ", options.requested_by))
                            .status());
  return ordered;
}

}  // namespace davit::rule_engine
