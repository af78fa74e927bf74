// The statements behind HookReleases.
#include "services/rule_engine/postgres_hook_releases.h"

#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/queries.h"

namespace davit::rule_engine {

using postgres::ReadText;
using postgres::Scope;
using postgres::Transaction;

absl::StatusOr<std::optional<HookRelease>> PostgresHookReleases::Claim(absl::Duration lease) {
  return pool_.Transact(
      Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::optional<HookRelease>> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kClaimHookRelease, lease));
        if (rows.empty()) return std::nullopt;
        HookRelease release;
        release.project = ReadText(rows[0]["project"]);
        release.connection_id = ReadText(rows[0]["connection_id"]);
        release.repository_key = ReadText(rows[0]["repository_key"]);
        release.repository = ReadText(rows[0]["repository"]);
        release.failures = rows[0]["failures"].as<int>();
        release.has_rules = rows[0]["has_rules"].as<bool>();
        return release;
      });
}

absl::Status PostgresHookReleases::Finish(const HookRelease& release) {
  return pool_.Transact(Scope::Project(release.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kFinishHookRelease, release.project, release.connection_id, release.repository_key)
        .status();
  });
}

absl::Status PostgresHookReleases::Postpone(const HookRelease& release, const std::string& error,
                                            absl::Duration delay) {
  return pool_.Transact(Scope::Project(release.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kPostponeHookRelease, release.project, release.connection_id, release.repository_key, error,
                 delay)
        .status();
  });
}

}  // namespace davit::rule_engine
