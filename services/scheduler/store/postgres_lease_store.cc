// Implements lease_store.h on PostgreSQL.
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/postgres/pool.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/lease_store.h"
#include "services/scheduler/store/rows.h"
#include "services/scheduler/store/transitions.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::ReadBytes;
using ::davit::postgres::ReadText;
using ::davit::postgres::Scope;
using ::davit::postgres::Transaction;

// Dead leases that one transaction ends at most.
constexpr int kReapBatch = 50;

// The agent as it was before the call.
struct LockedAgent {
  std::string id;
  std::string session_id;
  bool drained = false;
  bool was_replaced = false;
};

absl::StatusOr<LockedAgent> LockAgent(Transaction& transaction, const SessionReport& report) {
  for (int round = 0; round < 2; ++round) {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kLockAgent, report.agent_name, report.session_id));
    if (!rows.empty()) {
      return LockedAgent{ReadText(rows[0]["id"]), ReadText(rows[0]["session_id"]), rows[0]["drained"].as<bool>(),
                         rows[0]["was_replaced"].as<bool>()};
    }
    DAVIT_RETURN_IF_ERROR(
        transaction.Execute(queries::kInsertAgent, report.new_agent_id, report.agent_name, report.pool).status());
  }
  return absl::AbortedError("the agent has just been removed");
}

class PostgresLeaseStore : public LeaseStore {
 public:
  PostgresLeaseStore(postgres::Pool& pool, RandomSource& random, LeaseStoreOptions options)
      : pool_(pool), random_(random), options_(options) {}

  absl::StatusOr<SessionOutcome> Synchronize(const SessionReport& report) override {
    return pool_.Transact(ScopeOf(report.project),
                          [&](Transaction& transaction) { return SynchronizeIn(transaction, report); });
  }

  absl::StatusOr<std::vector<HeldLease>> Leases(const std::string& agent_id, const std::string& session_id) override {
    return pool_.Transact(Scope::AllProjects(),
                          [&](Transaction& transaction) -> absl::StatusOr<std::vector<HeldLease>> {
                            DAVIT_ASSIGN_OR_RETURN(const pqxx::result session,
                                                   transaction.Execute(queries::kCheckSession, agent_id, session_id));
                            if (session.empty() || !session[0]["current"].as<bool>()) return SessionSuperseded();
                            DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                                                   transaction.Execute(queries::kSelectSessionLeases, session_id));
                            std::vector<HeldLease> leases;
                            for (const pqxx::row& row : rows) {
                              HeldLease lease;
                              lease.build_id = ReadText(row["build_id"]);
                              lease.project = ReadText(row["project"]);
                              lease.attempt = row["attempt"].as<int>();
                              lease.fence = row["fence"].as<int64_t>();
                              lease.desired = static_cast<Desired>(row["desired"].as<int>());
                              lease.granted = row["granted"].as<bool>();
                              lease.spec = ReadBytes(row["spec"]);
                              lease.requested_by = ReadText(row["requested_by"]);
                              lease.upload_id = ReadText(row["upload_id"]);
                              lease.remaining = absl::Seconds(row["remaining_seconds"].as<double>());
                              leases.push_back(std::move(lease));
                            }
                            return leases;
                          });
  }

  absl::Status MarkGranted(const std::vector<HeldLease>& leases) override {
    std::vector<std::string> builds;
    std::vector<int64_t> fences;
    for (const HeldLease& lease : leases) {
      builds.push_back(lease.build_id);
      fences.push_back(lease.fence);
    }
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::Status {
      return transaction.Execute(queries::kMarkLeasesGranted, builds, fences).status();
    });
  }

  absl::StatusOr<EndedAttempt> End(const AttemptReport& report) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<EndedAttempt> {
      DAVIT_RETURN_IF_ERROR(LockLanesOf(transaction, {report}));
      DAVIT_ASSIGN_OR_RETURN(std::optional<EndedAttempt> ended, EndAttempt(transaction, report, Rules()));
      if (!ended.has_value()) return StaleFence(transaction, report.build_id, report.fence);
      return *std::move(ended);
    });
  }

  absl::Status Check(const std::string& project, const std::string& build_id, int64_t fence) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kCheckLease, build_id, fence));
      return rows.empty() ? StaleFence(transaction, build_id, fence) : absl::OkStatus();
    });
  }

  absl::StatusOr<std::vector<EndedAttempt>> ReapDead() override {
    return pool_.Transact(
        Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<EndedAttempt>> {
          std::vector<EndedAttempt> reaped;
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result dead, transaction.Execute(queries::kSelectDeadLeases, kReapBatch));
          std::vector<LaneKey> lanes;
          for (const pqxx::row& row : dead) lanes.push_back({ReadText(row["pool"]), ReadText(row["project"])});
          if (lanes.empty()) return reaped;
          DAVIT_RETURN_IF_ERROR(LockLanes(transaction, lanes));
          // A lease may have been renewed before the lanes were locked: what is dead now counts.
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result still,
                                 transaction.Execute(queries::kSelectDeadLeasesLocked, kReapBatch));
          for (const pqxx::row& row : still) {
            if (!HasLane(lanes, row)) continue;
            DAVIT_ASSIGN_OR_RETURN(std::optional<EndedAttempt> ended,
                                   EndAttempt(transaction, DeadReport(row), Rules()));
            if (ended.has_value()) reaped.push_back(*std::move(ended));
          }
          return reaped;
        });
  }

  absl::Status ForgetSessions() override {
    return pool_.Transact(Scope::AllProjects(), [](Transaction& transaction) -> absl::Status {
      return transaction.Execute(queries::kForgetSessions).status();
    });
  }

 private:
  static bool HasLane(const std::vector<LaneKey>& lanes, const pqxx::row& row) {
    const std::string pool = ReadText(row["pool"]);
    const std::string project = ReadText(row["project"]);
    for (const LaneKey& lane : lanes) {
      if (lane.pool == pool && lane.project == project) return true;
    }
    return false;
  }

  // What is said of a lease that ended without its agent.
  static AttemptReport DeadReport(const pqxx::row& row) {
    AttemptReport report;
    report.build_id = ReadText(row["build_id"]);
    report.fence = row["fence"].as<int64_t>();
    if (row["expired"].as<bool>()) {
      report.end = AttemptEnd::kLost;
      report.message = "the agent was not heard from until its lease ended";
    } else {
      report.end = AttemptEnd::kTimedOut;
      report.message =
          absl::StrCat("timed out after ", absl::FormatDuration(absl::Seconds(row["timeout_seconds"].as<double>())));
    }
    return report;
  }

  EndingRules Rules() { return {options_.retry, random_.Fraction(), options_.default_max_running}; }

  // Locks the lanes of the leases that are to be ended, before any lease is touched.
  static absl::Status LockLanesOf(Transaction& transaction, const std::vector<AttemptReport>& reports) {
    std::vector<LaneKey> lanes;
    for (const AttemptReport& report : reports) {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectBuildLane, report.build_id));
      if (!rows.empty()) lanes.push_back({ReadText(rows[0]["pool"]), ReadText(rows[0]["project"])});
    }
    return lanes.empty() ? absl::OkStatus() : LockLanes(transaction, lanes);
  }

  absl::StatusOr<SessionOutcome> SynchronizeIn(Transaction& transaction, const SessionReport& report) {
    DAVIT_ASSIGN_OR_RETURN(const LockedAgent agent, LockAgent(transaction, report));
    SessionOutcome outcome;
    outcome.agent_id = agent.id;
    outcome.drained = agent.drained;
    switch (DecideSession(agent.session_id, report.session_id, report.start, agent.was_replaced)) {
      case SessionVerdict::kSuperseded:
        return SessionSuperseded();
      case SessionVerdict::kReplace:
        DAVIT_RETURN_IF_ERROR(ReplaceSession(transaction, agent, outcome));
        break;
      case SessionVerdict::kBegin:
      case SessionVerdict::kContinue:
        break;
    }
    DAVIT_RETURN_IF_ERROR(transaction
                              .Execute(queries::kUpdateAgent, agent.id, report.session_id,
                                       nlohmann::json(report.labels).dump(), report.version, report.slots,
                                       report.free_slots, report.draining)
                              .status());
    DAVIT_RETURN_IF_ERROR(TakeResults(transaction, report, outcome));
    DAVIT_RETURN_IF_ERROR(TakeHeld(transaction, report, outcome));
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result leases,
                           transaction.Execute(queries::kSelectLeasesOfSession, report.session_id));
    outcome.leases = static_cast<int64_t>(leases.size());
    return outcome;
  }

  // Ends the session that the agent had before, with its leases.
  absl::Status ReplaceSession(Transaction& transaction, const LockedAgent& agent, SessionOutcome& outcome) {
    outcome.replaced_session = agent.session_id;
    DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kSupersedeSession, agent.session_id, agent.id).status());
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kSelectLeasesOfSession, agent.session_id));
    std::vector<LaneKey> lanes;
    for (const pqxx::row& row : rows) lanes.push_back({ReadText(row["pool"]), ReadText(row["project"])});
    if (!lanes.empty()) DAVIT_RETURN_IF_ERROR(LockLanes(transaction, lanes));
    for (const pqxx::row& row : rows) {
      AttemptReport report;
      report.build_id = ReadText(row["build_id"]);
      report.fence = row["fence"].as<int64_t>();
      report.end = AttemptEnd::kSessionReplaced;
      report.message = "the agent came back as a new process";
      DAVIT_ASSIGN_OR_RETURN(std::optional<EndedAttempt> ended, EndAttempt(transaction, report, Rules()));
      if (ended.has_value()) Note(*std::move(ended), outcome);
    }
    return absl::OkStatus();
  }

  // Ends the attempts that the agent reports as ended; stale ones are passed over.
  absl::Status TakeResults(Transaction& transaction, const SessionReport& report, SessionOutcome& outcome) {
    if (report.ended.empty()) return absl::OkStatus();
    DAVIT_RETURN_IF_ERROR(LockLanesOf(transaction, report.ended));
    for (const AttemptReport& attempt : report.ended) {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result held, transaction.Execute(queries::kLeaseOfSession, attempt.build_id,
                                                                          attempt.fence, report.session_id));
      if (held.empty()) continue;
      DAVIT_ASSIGN_OR_RETURN(std::optional<EndedAttempt> ended, EndAttempt(transaction, attempt, Rules()));
      if (ended.has_value()) Note(*std::move(ended), outcome);
    }
    return absl::OkStatus();
  }

  // Renews the leases that go on and takes in their phases.
  absl::Status TakeHeld(Transaction& transaction, const SessionReport& report, SessionOutcome& outcome) {
    if (report.held.empty()) return absl::OkStatus();
    std::vector<std::string> builds;
    std::vector<int64_t> fences;
    std::vector<int32_t> phases;
    for (const HeldReport& held : report.held) {
      builds.push_back(held.build_id);
      fences.push_back(held.fence);
      phases.push_back(static_cast<int32_t>(held.phase));
    }
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result renewed, transaction.Execute(queries::kRenewLeases, report.session_id,
                                                                           builds, fences, options_.lease_ttl));
    outcome.renewed = static_cast<int64_t>(renewed.size());
    if (renewed.empty()) return absl::OkStatus();
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result changed,
                           transaction.Execute(queries::kReportPhases, builds, fences, phases, report.session_id));
    for (const pqxx::row& row : changed) outcome.changed.push_back(ReadText(row[0]));
    return absl::OkStatus();
  }

  static void Note(EndedAttempt ended, SessionOutcome& outcome) {
    outcome.changed.push_back(ended.build_id);
    outcome.ended.push_back(std::move(ended));
  }

  postgres::Pool& pool_;
  RandomSource& random_;
  const LeaseStoreOptions options_;
};

}  // namespace

std::unique_ptr<LeaseStore> NewPostgresLeaseStore(postgres::Pool& pool, RandomSource& random,
                                                  LeaseStoreOptions options) {
  return std::make_unique<PostgresLeaseStore>(pool, random, options);
}

}  // namespace davit::scheduler
