// Implements the build grants and the purge of postgres_store.h.
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/postgres_rows.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/queries.h"

namespace davit::token_registry {

using postgres::Scope;
using postgres::Transaction;

absl::Status PostgresStore::PutBuildGrant(const BuildGrant& grant, const GrantDecision& decide) {
  return pool_.Transact(ScopeOf(grant.project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kLockBuildGrant, grant.build_id));
    if (rows.empty()) {
      DAVIT_RETURN_IF_ERROR(decide(nullptr));
    } else {
      const BuildGrant existing = ReadBuildGrant(rows[0]);
      DAVIT_RETURN_IF_ERROR(decide(&existing));
    }
    return transaction
        .Execute(queries::kPutBuildGrant, grant.build_id, grant.project, grant.fence, grant.scope.connection_id,
                 grant.scope.repository, grant.scope.registry_credential_id, grant.scope.image_repository,
                 grant.expire_time, grant.scope.secrets)
        .status();
  });
}

absl::Status PostgresStore::RevokeBuildGrant(const std::string& project, const std::string& build_id, int64_t fence,
                                             absl::Time keep_until) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) {
    return transaction.Execute(queries::kRevokeBuildGrant, build_id, project, fence, keep_until).status();
  });
}

absl::StatusOr<BuildGrant> PostgresStore::GetBuildGrant(const std::string& project, const std::string& build_id) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<BuildGrant> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetBuildGrant, build_id));
    if (rows.empty()) return absl::NotFoundError("no credentials were granted to build " + build_id);
    return ReadBuildGrant(rows[0]);
  });
}

absl::Status PostgresStore::Purge(absl::Time expired_before, absl::Time accesses_before) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::Status {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kPurgeBuildGrants, expired_before).status());
    DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kPurgeAuthorizations, expired_before).status());
    return transaction.Execute(queries::kPurgeSecretAccesses, accesses_before).status();
  });
}

}  // namespace davit::token_registry
