// The statements behind EventLedger.
#include "services/rule_engine/postgres_event_ledger.h"

#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/ids/ids.h"
#include "libs/postgres/transaction.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/build_order.h"
#include "services/rule_engine/postgres_rows.h"
#include "services/rule_engine/queries.h"

namespace davit::rule_engine {
namespace {

using postgres::ReadText;
using postgres::Scope;
using postgres::Transaction;

std::string SerializePayload(const Event& event) {
  rules::v1::IngestEventRequest payload;
  payload.mutable_headers()->insert(event.headers.begin(), event.headers.end());
  *payload.mutable_push() = event.push;
  return payload.SerializeAsString();
}

// The columns of the rows to insert.
struct EventColumns {
  std::vector<std::string> ids, kinds, states, connections, sources, deliveries, repositories, refs, details, payloads;

  void Add(const Event& event, std::string id) {
    ids.push_back(std::move(id));
    kinds.emplace_back(KindWord(event.kind));
    states.emplace_back(StateWord(event.state));
    connections.push_back(event.connection_id);
    sources.push_back(event.source_id);
    deliveries.push_back(event.delivery_id);
    repositories.push_back(RepositoryKey(event.push.repository()));
    refs.push_back(event.push.ref());
    details.push_back(event.detail);
    payloads.push_back(SerializePayload(event));
  }
};

// The parameters of insert_events.sql.
std::vector<postgres::Parameter> Parameters(const std::string& project, const EventColumns& columns) {
  std::vector<postgres::Bytes> payloads;
  for (const std::string& payload : columns.payloads) payloads.push_back({payload});
  return {project,         columns.ids,        columns.kinds,        columns.states, columns.connections,
          columns.sources, columns.deliveries, columns.repositories, columns.refs,   payloads,
          columns.details};
}

// The event that a delivery has had before.
absl::StatusOr<Recorded> FindEarlier(Transaction& transaction, const Event& event) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result found, transaction.Execute(queries::kFindEventOfDelivery, event.project,
                                                                       event.source_id, event.delivery_id));
  if (found.empty())
    return absl::UnavailableError("the event of this delivery was removed at this moment; deliver again");
  return Recorded{ReadText(found[0]["id"]), true};
}

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

// Project, connection and RepositoryKey: what events and rules meet by.
using Meeting = std::tuple<std::string, std::string, std::string>;
using RulesByMeeting = std::map<Meeting, absl::StatusOr<std::vector<Rule>>>;

Meeting MeetingOf(const Event& event) {
  return {event.project, event.connection_id, RepositoryKey(event.push.repository())};
}

// The rules for all of the events; an error in place of those that cannot be read.
absl::StatusOr<RulesByMeeting> RulesFor(Transaction& transaction, absl::Span<const Event> events) {
  RulesByMeeting rules;
  for (const Event& event : events) rules.emplace(MeetingOf(event), std::vector<Rule>());
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
  std::vector<std::string> ids, states, details;

  void Add(const std::string& id, EventState state, absl::string_view detail) {
    ids.push_back(id);
    states.emplace_back(StateWord(state));
    details.emplace_back(detail);
  }
};

absl::Status Finish(Transaction& transaction, const FinishedEvents& finished) {
  return transaction.Execute(queries::kFinishEvents, finished.ids, finished.states, finished.details).status();
}

// Evaluates the events of a transaction together: their rules are read, and their ends are written, by one statement.
class BatchEvaluation {
 public:
  BatchEvaluation(Transaction& transaction, EventLedger::Evaluate evaluate)
      : transaction_(transaction), evaluate_(evaluate) {}

  absl::Status Run(const pqxx::result& rows) {
    for (const pqxx::row& row : rows) {
      absl::StatusOr<Event> event = ReadEvent(row);
      if (event.ok()) {
        events_.push_back(*std::move(event));
      } else {
        DAVIT_RETURN_IF_ERROR(GiveUp(ReadText(row["id"]), event.status()));
      }
    }
    if (!events_.empty()) DAVIT_RETURN_IF_ERROR(Evaluate());
    if (!waiting_ids_.empty()) {
      DAVIT_RETURN_IF_ERROR(
          transaction_.Execute(queries::kInsertChangeRequests, waiting_ids_, waiting_projects_).status());
    }
    return finished_.ids.empty() ? absl::OkStatus() : Finish(transaction_, finished_);
  }

 private:
  // What cannot be read must not hold up every other event.
  absl::Status GiveUp(const std::string& id, const absl::Status& status) {
    if (!absl::IsDataLoss(status)) return status;
    finished_.Add(id, EventState::kIgnored, status.message());
    return absl::OkStatus();
  }

  absl::Status Evaluate() {
    DAVIT_ASSIGN_OR_RETURN(RulesByMeeting rules, RulesFor(transaction_, events_));
    for (const Event& event : events_) {
      absl::StatusOr<std::vector<Rule>>& known = rules.at(MeetingOf(event));
      DAVIT_RETURN_IF_ERROR(known.ok() ? EvaluateOne(event, *known) : GiveUp(event.id, known.status()));
    }
    return absl::OkStatus();
  }

  absl::Status EvaluateOne(const Event& event, std::vector<Rule>& rules) {
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
    finished_.Add(event.id, evaluation.state, evaluation.detail);
    return absl::OkStatus();
  }

  static void NoteNumber(const BuildOrder& order, std::vector<Rule>& rules) {
    for (Rule& rule : rules) {
      if (rule.id == order.rule_id && order.number > 0) rule.build_number = order.number;
    }
  }

  Transaction& transaction_;
  const EventLedger::Evaluate evaluate_;
  std::vector<Event> events_;
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

absl::StatusOr<Event> WithExplanations(Transaction& transaction, Event event) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                         transaction.Execute(queries::kListExplanations, event.project, event.id, event.push.after()));
  for (const pqxx::row& row : rows) {
    DAVIT_ASSIGN_OR_RETURN(Explanation explanation, ReadExplanation(row));
    event.explanations.push_back(std::move(explanation));
  }
  return event;
}

}  // namespace

std::string PostgresEventLedger::NewEventId() { return NewId("evt", clock_, random_); }

absl::StatusOr<std::vector<Recorded>> PostgresEventLedger::IngestAll(const std::string& project,
                                                                     absl::Span<const Event* const> events) {
  EventColumns columns;
  for (const Event* event : events) columns.Add(*event, NewEventId());
  const absl::StatusOr<pqxx::result> inserted =
      pool_.ExecuteAlone(Scope::Project(project), queries::kInsertEvents, Parameters(project, columns));
  if (!inserted.ok()) return Annotate(inserted.status(), "Failed to store the event");
  absl::flat_hash_set<std::string> stored;
  for (const pqxx::row& row : *inserted) stored.insert(ReadText(row["id"]));
  std::vector<Recorded> recorded;
  for (const std::string& id : columns.ids) recorded.push_back({id, !stored.contains(id)});
  if (stored.size() == events.size()) return recorded;
  const absl::Status found = pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::Status {
    for (size_t i = 0; i < events.size(); ++i) {
      if (!recorded[i].duplicate) continue;
      DAVIT_ASSIGN_OR_RETURN(recorded[i], FindEarlier(transaction, *events[i]));
    }
    return absl::OkStatus();
  });
  if (!found.ok()) return Annotate(found, "Failed to find the event of a repeated delivery");
  return recorded;
}

absl::StatusOr<Recorded> PostgresEventLedger::RecordManual(const Event& event, const Outcome& outcome) {
  EventColumns columns;
  columns.Add(event, event.id);
  absl::StatusOr<Recorded> recorded =
      pool_.Transact(Scope::Project(event.project), [&](Transaction& transaction) -> absl::StatusOr<Recorded> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result inserted,
                               transaction.ExecutePrepared(queries::kInsertEvents, Parameters(event.project, columns)));
        if (inserted.empty()) return FindEarlier(transaction, event);
        DAVIT_RETURN_IF_ERROR(InsertRuleBuild(transaction, event, *outcome.order).status());
        DAVIT_RETURN_IF_ERROR(InsertOrder(transaction, event, *outcome.order));
        DAVIT_RETURN_IF_ERROR(InsertExplanation(transaction, event, 0, outcome.explanation));
        return Recorded{event.id, false};
      });
  if (!recorded.ok()) return Annotate(recorded.status(), "Failed to store the event");
  return recorded;
}

absl::StatusOr<Event> PostgresEventLedger::FindDelivery(const std::string& project, const std::string& source_id,
                                                        const std::string& delivery_id) {
  absl::StatusOr<std::string> id =
      pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<std::string> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                               transaction.Execute(queries::kFindEventOfDelivery, project, source_id, delivery_id));
        if (rows.empty()) return absl::NotFoundError("no event of this delivery");
        return ReadText(rows[0]["id"]);
      });
  if (!id.ok()) return id.status();
  return Get(project, *id);
}

absl::StatusOr<Event> PostgresEventLedger::Get(const std::string& project, const std::string& id) {
  return pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<Event> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetEvent, project, id));
    if (rows.empty()) return absl::NotFoundError(absl::StrCat("no event ", id));
    DAVIT_ASSIGN_OR_RETURN(Event event, ReadEvent(rows[0]));
    return WithExplanations(transaction, std::move(event));
  });
}

absl::StatusOr<EventPage> PostgresEventLedger::List(const std::string& project, const EventFilter& filter,
                                                    int64_t before, int limit) {
  std::vector<std::string> states;
  for (const EventState state : filter.states) states.emplace_back(StateWord(state));
  std::vector<std::string> kinds;
  for (const EventKind kind : filter.kinds) kinds.emplace_back(KindWord(kind));
  std::vector<postgres::Parameter> parameters = {project,
                                                 RepositoryKey(filter.repository),
                                                 before > 0 ? before : std::numeric_limits<int64_t>::max(),
                                                 limit + 1,
                                                 filter.connection_id,
                                                 filter.ref,
                                                 states,
                                                 kinds,
                                                 filter.start,
                                                 filter.end};
  if (!filter.delivery_id.empty()) parameters.emplace_back(filter.delivery_id);
  const postgres::Statement& statement =
      filter.delivery_id.empty() ? queries::kListEvents : queries::kListEventsOfDelivery;
  return pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<EventPage> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.ExecutePrepared(statement, parameters));
    EventPage page;
    for (const pqxx::row& row : rows) {
      if (static_cast<int>(page.events.size()) == limit) {
        page.next = page.places.back();
        break;
      }
      DAVIT_ASSIGN_OR_RETURN(Event event, ReadEvent(row));
      page.events.push_back(std::move(event));
      page.places.push_back(row["seq"].as<int64_t>());
    }
    return page;
  });
}

absl::StatusOr<int> PostgresEventLedger::EvaluateReceived(int limit, Evaluate evaluate) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kClaimReceivedEvents, limit));
    const absl::Status evaluated = BatchEvaluation(transaction, evaluate).Run(rows);
    if (!evaluated.ok()) return Annotate(evaluated, "Failed to evaluate events");
    return static_cast<int>(rows.size());
  });
}

absl::StatusOr<int> PostgresEventLedger::Replay(const std::string& project, const std::string& id,
                                                const ReplayOptions& options, Evaluate evaluate) {
  ReplayOptions with_id = options;
  if (with_id.request_id.empty()) with_id.request_id = NewEventId();
  return pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<int> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kLockEvent, project, id));
    if (rows.empty()) return absl::NotFoundError(absl::StrCat("no event ", id));
    DAVIT_ASSIGN_OR_RETURN(const Event event, ReadEvent(rows[0]));
    if (event.state == EventState::kReceived) return 0;
    if (event.kind == EventKind::kManual) {
      return absl::FailedPreconditionError(
          absl::StrCat(id, " was triggered by hand: trigger its rule again to build it again"));
    }
    DAVIT_ASSIGN_OR_RETURN(const RulesByMeeting found, RulesFor(transaction, absl::MakeConstSpan(&event, 1)));
    const absl::StatusOr<std::vector<Rule>>& rules = found.begin()->second;
    if (!rules.ok()) return rules.status();
    Evaluation evaluation = evaluate(event, *rules);
    int ordered = 0;
    int position = 0;
    for (Outcome& outcome : evaluation.outcomes) {
      DAVIT_ASSIGN_OR_RETURN(const int builds, RewriteOutcome(transaction, event, position++, outcome, with_id));
      ordered += builds;
    }
    FinishedEvents finished;
    finished.Add(event.id, evaluation.state, absl::StrCat(evaluation.detail, "; replayed by ", options.requested_by));
    DAVIT_RETURN_IF_ERROR(Finish(transaction, finished));
    return ordered;
  });
}

absl::StatusOr<int> PostgresEventLedger::DeleteOld(absl::Duration age, int limit) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kDeleteOldEvents, age, limit));
    return static_cast<int>(rows.affected_rows());
  });
}

absl::StatusOr<std::set<std::pair<std::string, std::string>>> PostgresEventLedger::PushesOfRefs(
    const std::string& project, const std::string& connection_id, const std::string& repository,
    const std::vector<std::string>& refs, absl::Time since) {
  using Pushes = std::set<std::pair<std::string, std::string>>;
  return pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<Pushes> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListPushesOfRefs, project, connection_id,
                                               RepositoryKey(repository), since, refs));
    Pushes pushes;
    for (const pqxx::row& row : rows) {
      rules::v1::IngestEventRequest payload;
      if (!payload.ParseFromString(postgres::ReadBytes(row["payload"]))) continue;
      pushes.emplace(ReadText(row["ref"]), payload.push().after());
    }
    return pushes;
  });
}

absl::StatusOr<Waiting> PostgresEventLedger::CountReceived() {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<Waiting> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kCountReceivedEvents));
    return Waiting{rows[0]["waiting"].as<int64_t>(), absl::Seconds(rows[0]["oldest_seconds"].as<double>())};
  });
}

}  // namespace davit::rule_engine
