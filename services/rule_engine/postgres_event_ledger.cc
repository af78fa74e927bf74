// The statements behind EventLedger.
#include "services/rule_engine/postgres_event_ledger.h"

#include <limits>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/ids/ids.h"
#include "libs/postgres/transaction.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/postgres_evaluation.h"
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

// The word of events.state for what the queue and event_outcomes say more of.
constexpr char kQueued[] = "queued";

// Of so many claims one looks at the whole queue.
constexpr int kClaimsPerFullClaim = 16;

// Events that are taken over by one statement.
constexpr int kQueuedAtOnce = 10000;

// Bytes of an event's payload that may be held in memory.
constexpr size_t kLargestRecent = 8192;

// How far the clocks of replicas may differ from the database's.
constexpr absl::Duration kClockDifference = absl::Hours(1);

// What the table takes for granted.
absl::Status CheckEvent(const Event& event) {
  if (event.source_id.empty()) return absl::InvalidArgumentError("source_id: required");
  if (event.delivery_id.empty()) return absl::InvalidArgumentError("delivery_id: required");
  return absl::OkStatus();
}

// The columns of the rows to insert.
struct EventColumns {
  std::vector<std::string> ids, kinds, states, connections, sources, deliveries, repositories, refs, details, payloads;

  void Add(const Event& event, std::string id) {
    ids.push_back(std::move(id));
    kinds.emplace_back(KindWord(event.kind));
    states.emplace_back(event.state == EventState::kReceived ? kQueued : StateWord(event.state));
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
  payloads.reserve(columns.payloads.size());
  for (const std::string& payload : columns.payloads) payloads.push_back({payload});
  std::vector<postgres::Parameter> parameters;
  parameters.reserve(11);
  parameters.emplace_back(project);
  for (const auto* texts : {&columns.ids, &columns.kinds, &columns.states, &columns.connections, &columns.sources,
                            &columns.deliveries, &columns.repositories, &columns.refs}) {
    parameters.emplace_back(*texts);
  }
  parameters.emplace_back(payloads);
  parameters.emplace_back(columns.details);
  return parameters;
}

// The event that a delivery has had before.
absl::StatusOr<Recorded> FindEarlier(Transaction& transaction, const Event& event) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result found, transaction.Execute(queries::kFindEventOfDelivery, event.project,
                                                                       event.source_id, event.delivery_id));
  if (found.empty())
    return absl::UnavailableError("the event of this delivery was removed at this moment; deliver again");
  return Recorded{ReadText(found[0]["id"]), true};
}

// Queues what the former version's replicas have left. All of it: it is older than what is queued.
absl::Status QueueReceived(Transaction& transaction) {
  int64_t queued = kQueuedAtOnce;
  while (queued == kQueuedAtOnce) {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kQueueReceivedEvents, kQueuedAtOnce));
    queued = static_cast<int64_t>(rows.affected_rows());
  }
  return absl::OkStatus();
}

// Claims events from a place of the queue on; 0 = all that there are.
absl::StatusOr<pqxx::result> Claim(Transaction& transaction, int limit, int64_t from) {
  if (from == 0) DAVIT_RETURN_IF_ERROR(QueueReceived(transaction));
  return transaction.Execute(queries::kClaimReceivedEvents, limit, from);
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
  for (const Event* event : events) {
    DAVIT_RETURN_IF_ERROR(CheckEvent(*event));
    columns.Add(*event, NewEventId());
  }
  const absl::StatusOr<pqxx::result> inserted =
      pool_.ExecuteAlone(Scope::Project(project), queries::kInsertEvents, Parameters(project, columns));
  if (!inserted.ok()) return Annotate(inserted.status(), "Failed to store the event");
  absl::flat_hash_set<std::string> stored;
  for (const pqxx::row& row : *inserted) stored.insert(ReadText(row["id"]));
  std::vector<Recorded> recorded;
  for (size_t i = 0; i < events.size(); ++i) {
    const std::string& id = columns.ids[i];
    recorded.push_back({id, !stored.contains(id)});
    if (recorded[i].duplicate || events[i]->state != EventState::kReceived) continue;
    if (columns.payloads[i].size() > kLargestRecent) continue;
    Event event = *events[i];
    event.id = id;
    // All that a statement stores has one time.
    event.receive_time = postgres::ReadTime((*inserted)[0]["receive_time"]);
    recent_.Put(std::move(event));
  }
  if (stored.size() == events.size()) return recorded;
  const absl::Status found = pool_.Read(Scope::Project(project), [&](Transaction& transaction) -> absl::Status {
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
        DAVIT_RETURN_IF_ERROR(WriteManualOutcome(transaction, event, outcome));
        return Recorded{event.id, false};
      });
  if (!recorded.ok()) return Annotate(recorded.status(), "Failed to store the event");
  return recorded;
}

absl::StatusOr<Event> PostgresEventLedger::FindDelivery(const std::string& project, const std::string& source_id,
                                                        const std::string& delivery_id) {
  absl::StatusOr<std::string> id =
      pool_.Read(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<std::string> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                               transaction.Execute(queries::kFindEventOfDelivery, project, source_id, delivery_id));
        if (rows.empty()) return absl::NotFoundError("no event of this delivery");
        return ReadText(rows[0]["id"]);
      });
  if (!id.ok()) return id.status();
  return Get(project, *id);
}

absl::StatusOr<Event> PostgresEventLedger::Get(const std::string& project, const std::string& id) {
  return pool_.Read(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<Event> {
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
  return pool_.Read(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<EventPage> {
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

int64_t PostgresEventLedger::ClaimFrom() {
  absl::MutexLock lock(&mutex_);
  claims_ = (claims_ + 1) % kClaimsPerFullClaim;
  return claims_ == 0 ? 0 : claimed_from_;
}

void PostgresEventLedger::NoteClaimed(int64_t first) {
  absl::MutexLock lock(&mutex_);
  claimed_from_ = first;
}

absl::StatusOr<int> PostgresEventLedger::EvaluateReceived(int limit, Evaluate evaluate) {
  const int64_t from = ClaimFrom();
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kUseIndexes).status());
    DAVIT_ASSIGN_OR_RETURN(pqxx::result rows, Claim(transaction, limit, from));
    if (rows.empty() && from > 0) {
      DAVIT_ASSIGN_OR_RETURN(rows, Claim(transaction, limit, 0));
    }
    if (rows.empty()) return 0;
    NoteClaimed(rows[0][0].as<int64_t>());
    const absl::Status evaluated = EvaluateQueued(transaction, rows, recent_, evaluate);
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
    return EvaluateAgain(transaction, event, with_id, evaluate);
  });
}

absl::StatusOr<int> PostgresEventLedger::DeleteOld(absl::Duration age, int limit) {
  const std::string above = LeastId("evt", clock_.Now() - age + kClockDifference);
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kUseIndexes).status());
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kDeleteOldEvents, age, limit, above));
    return static_cast<int>(rows.affected_rows());
  });
}

absl::StatusOr<std::set<std::pair<std::string, std::string>>> PostgresEventLedger::PushesOfRefs(
    const std::string& project, const std::string& connection_id, const std::string& repository,
    const std::vector<std::string>& refs, absl::Time since) {
  using Pushes = std::set<std::pair<std::string, std::string>>;
  return pool_.Read(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<Pushes> {
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
  return pool_.Read(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<Waiting> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kCountReceivedEvents));
    return Waiting{rows[0]["waiting"].as<int64_t>(), absl::Seconds(rows[0]["oldest_seconds"].as<double>())};
  });
}

}  // namespace davit::rule_engine
