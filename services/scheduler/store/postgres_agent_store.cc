// Implements agent_store.h on PostgreSQL.
#include "absl/strings/str_cat.h"
#include "libs/postgres/pool.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/agent_store.h"
#include "services/scheduler/store/rows.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::Transaction;

class PostgresAgentStore : public AgentStore {
 public:
  PostgresAgentStore(postgres::Pool& pool, absl::Duration present_within)
      : pool_(pool), present_within_(present_within) {}

  absl::StatusOr<std::vector<AgentRecord>> List(const std::string& project, const std::string& after_name,
                                                int limit) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<AgentRecord>> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                             transaction.Execute(queries::kListAgents, after_name, limit, present_within_));
      std::vector<AgentRecord> agents;
      for (const pqxx::row& row : rows) agents.push_back(ReadAgent(row));
      return agents;
    });
  }

  absl::StatusOr<AgentRecord> SetDrain(const std::string& project, const std::string& id, DrainWish wish) override {
    return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<AgentRecord> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result updated,
                             transaction.Execute(queries::kSetAgentDrained, id, wish == DrainWish::kDrain));
      if (updated.empty()) return absl::NotFoundError(absl::StrCat("id: no such agent: ", id));
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectAgent, id, present_within_));
      return ReadAgent(rows[0]);
    });
  }

 private:
  postgres::Pool& pool_;
  const absl::Duration present_within_;
};

}  // namespace

std::unique_ptr<AgentStore> NewPostgresAgentStore(postgres::Pool& pool, absl::Duration present_within) {
  return std::make_unique<PostgresAgentStore>(pool, present_within);
}

}  // namespace davit::scheduler
