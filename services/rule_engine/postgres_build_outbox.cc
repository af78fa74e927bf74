// The statements behind BuildOutbox.
#include "services/rule_engine/postgres_build_outbox.h"

#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/queries.h"

namespace davit::rule_engine {
namespace {

using postgres::ReadText;
using postgres::Scope;
using postgres::Transaction;

}  // namespace

absl::StatusOr<std::vector<ClaimedOrder>> PostgresBuildOutbox::Claim(int limit, absl::Duration claim) {
  return pool_.Transact(
      Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<ClaimedOrder>> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kClaimBuildOrders, limit, claim));
        std::vector<ClaimedOrder> orders;
        for (const pqxx::row& row : rows) {
          orders.push_back(ClaimedOrder{row["id"].as<int64_t>(), ReadText(row["project"]), ReadText(row["rule_id"]),
                                        ReadText(row["event_id"]), postgres::ReadBytes(row["request"]),
                                        row["attempts"].as<int>()});
        }
        return orders;
      });
}

absl::Status PostgresBuildOutbox::Finish(int64_t id, const std::string& build_id) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
    return transaction.Execute(queries::kFinishBuildOrder, id, build_id).status();
  });
}

absl::Status PostgresBuildOutbox::Refuse(int64_t id, const std::string& why) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
    return transaction.Execute(queries::kRefuseBuildOrder, id, why).status();
  });
}

absl::Status PostgresBuildOutbox::Postpone(int64_t id, absl::Duration delay, const std::string& error) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
    return transaction.Execute(queries::kPostponeBuildOrder, id, delay, error).status();
  });
}

absl::StatusOr<Waiting> PostgresBuildOutbox::Count() {
  return pool_.Read(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<Waiting> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kCountBuildOrders));
    return Waiting{rows[0]["waiting"].as<int64_t>(), absl::Seconds(rows[0]["oldest_seconds"].as<double>())};
  });
}

}  // namespace davit::rule_engine
