// Implements queue_store.h on PostgreSQL.
#include "absl/strings/str_cat.h"
#include "libs/postgres/pool.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/queue_store.h"
#include "services/scheduler/store/rows.h"
#include "services/scheduler/store/transitions.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::ReadText;
using ::davit::postgres::Scope;
using ::davit::postgres::Transaction;

// Delayed builds that one transaction queues at most.
constexpr int kPromoteBatch = 200;

std::vector<LaneKey> ReadLanes(const pqxx::result& rows) {
  std::vector<LaneKey> lanes;
  for (const pqxx::row& row : rows) lanes.push_back({ReadText(row["pool"]), ReadText(row["project"])});
  return lanes;
}

class PostgresQueueStore : public QueueStore {
 public:
  PostgresQueueStore(postgres::Pool& pool, QueueStoreOptions options) : pool_(pool), options_(options) {}

  absl::StatusOr<std::vector<ClaimedLease>> Claim(const std::string& pool, const std::string& project,
                                                  const std::vector<FreeSlot>& slots) override {
    std::vector<std::string> agents;
    std::vector<std::string> sessions;
    for (const FreeSlot& slot : slots) {
      agents.push_back(slot.agent_id);
      sessions.push_back(slot.session_id);
    }
    return pool_.Transact(
        Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<ClaimedLease>> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                                 transaction.Execute(queries::kClaimBuilds, pool, project, agents, sessions,
                                                     options_.lease_ttl, options_.timeout_margin));
          std::vector<ClaimedLease> leases;
          std::vector<std::string> builds;
          for (const pqxx::row& row : rows) {
            leases.push_back({ReadText(row["build_id"]), ReadText(row["agent_id"]), ReadText(row["session_id"]),
                              row["fence"].as<int64_t>()});
            builds.push_back(leases.back().build_id);
          }
          DAVIT_RETURN_IF_ERROR(MarkCommits(transaction, builds));
          return leases;
        });
  }

  absl::StatusOr<int> PromoteDue() override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result due, transaction.Execute(queries::kSelectDueDelays, kPromoteBatch));
      if (due.empty()) return 0;
      const std::vector<LaneKey> lanes = ReadLanes(due);
      DAVIT_RETURN_IF_ERROR(LockLanes(transaction, lanes));
      std::vector<std::string> pools;
      std::vector<std::string> projects;
      for (const LaneKey& lane : lanes) {
        pools.push_back(lane.pool);
        projects.push_back(lane.project);
      }
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result promoted,
                             transaction.Execute(queries::kPromoteDueDelays, kPromoteBatch, pools, projects,
                                                 options_.default_max_running));
      return static_cast<int>(promoted.size());
    });
  }

  absl::StatusOr<int> ReconcileLanes() override {
    const absl::StatusOr<std::vector<LaneKey>> lanes =
        pool_.Read(Scope::AllProjects(), [](Transaction& transaction) -> absl::StatusOr<std::vector<LaneKey>> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectLanes));
          return ReadLanes(rows);
        });
    DAVIT_RETURN_IF_ERROR(lanes.status());
    int corrected = 0;
    for (const LaneKey& lane : *lanes) {
      DAVIT_ASSIGN_OR_RETURN(
          const bool differed,
          pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<bool> {
            DAVIT_RETURN_IF_ERROR(LockLanes(transaction, {lane}));
            DAVIT_ASSIGN_OR_RETURN(
                const pqxx::result rows,
                transaction.Execute(queries::kReconcileLane, lane.pool, lane.project, options_.default_max_running));
            return !rows.empty() && rows[0][0].as<bool>();
          }));
      if (differed) ++corrected;
    }
    return corrected;
  }

  absl::StatusOr<QueueExplanation> Explain(const std::string& project, const std::string& build_id,
                                           absl::Duration present_within) override {
    QueueFacts facts;
    DAVIT_RETURN_IF_ERROR(pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                             transaction.Execute(queries::kExplainQueue, build_id, present_within));
      if (rows.empty()) return absl::NotFoundError(absl::StrCat("build_id: no such build: ", build_id));
      const pqxx::row row = rows[0];
      const BuildState state = static_cast<BuildState>(row["state"].as<int>());
      if (state != BuildState::kQueued) {
        return absl::FailedPreconditionError(absl::StrCat("the build does not wait: it is ", BuildStateName(state)));
      }
      facts.ahead = row["ahead"].as<int64_t>();
      if (row["waits_for_rule"].as<bool>()) {
        facts.ahead = row["ahead_in_rule"].as<int64_t>();
        facts.rule_running = row["rule_running"].as<int>();
        facts.rule_max_running = row["rule_max_running"].as<int>();
      }
      facts.running = row["running"].as<int>();
      facts.max_running = row["max_running"].as<int>();
      facts.ready_agents = row["ready_agents"].as<int>();
      facts.free_slots = row["free_slots"].as<int>();
      facts.not_before = ReadOptionalTime(row["not_before"]);
      facts.failures = row["infrastructure_failures"].as<int>();
      return absl::OkStatus();
    }));
    DAVIT_RETURN_IF_ERROR(pool_.Read(Scope::AllProjects(), [&](Transaction& transaction) -> absl::Status {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kCountLeases, kDefaultPool));
      facts.leases = rows[0][0].as<int>();
      return absl::OkStatus();
    }));
    return ExplainWait(facts);
  }

  absl::StatusOr<std::vector<PoolDepth>> Depths() override {
    return pool_.Read(Scope::AllProjects(), [](Transaction& transaction) -> absl::StatusOr<std::vector<PoolDepth>> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kQueueDepths));
      std::vector<PoolDepth> depths;
      for (const pqxx::row& row : rows) {
        depths.push_back({ReadText(row["pool"]), row["queued"].as<int64_t>(), row["running"].as<int64_t>(),
                          absl::Seconds(row["oldest_wait_seconds"].as<double>())});
      }
      return depths;
    });
  }

 private:
  postgres::Pool& pool_;
  const QueueStoreOptions options_;
};

}  // namespace

std::unique_ptr<QueueStore> NewPostgresQueueStore(postgres::Pool& pool, QueueStoreOptions options) {
  return std::make_unique<PostgresQueueStore>(pool, options);
}

}  // namespace davit::scheduler
