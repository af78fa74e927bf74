// Implements the API tokens of postgres_store.h.
#include "libs/crypto/hash.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/postgres_rows.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/queries.h"

namespace davit::token_registry {

using postgres::Bytes;
using postgres::Scope;
using postgres::Transaction;

namespace {

// How exactly the last use of a token is known: calls do not become writes.
constexpr absl::Duration kLastUseGrain = absl::Minutes(10);

}  // namespace

absl::Status PostgresStore::InsertApiToken(const ApiToken& token, const std::string& hash) {
  return pool_.Transact(ScopeOf(token.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kInsertApiToken, token.id, token.project, token.display_name, auth::RoleName(token.role),
                 Bytes{hash}, token.create_time, NullIfInfinite(token.expire_time))
        .status();
  });
}

absl::StatusOr<ApiToken> PostgresStore::GetApiToken(const std::string& project, const std::string& id) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<ApiToken> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetApiToken, project, id));
    if (rows.empty()) return NotFound("token", id);
    return ReadApiToken(rows[0]);
  });
}

absl::StatusOr<ApiToken> PostgresStore::UseApiToken(const std::string& hash, absl::Time now) {
  absl::StatusOr<ApiToken> token =
      pool_.Read(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<ApiToken> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kFindApiToken, Bytes{hash}));
        if (rows.empty() || !crypto::ConstantTimeEquals(postgres::ReadBytes(rows[0]["token_hash"]), hash)) {
          return absl::NotFoundError("token not found");
        }
        return ReadApiToken(rows[0]);
      });
  if (token.ok() && token->IsActive(now) && now - token->last_use_time > kLastUseGrain) {
    const absl::Status noted = pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
      return transaction.Execute(queries::kTouchApiToken, token->id, now).status();
    });
    // Whether this use was noted is nothing to the caller.
    if (!noted.ok() && !absl::IsUnavailable(noted)) return noted;
  }
  return token;
}

absl::StatusOr<std::vector<ApiToken>> PostgresStore::ListApiTokens(const std::string& project, const Page& page) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<ApiToken>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListApiTokens, project, page.after, page.size));
    std::vector<ApiToken> tokens;
    for (const pqxx::row& row : rows) tokens.push_back(ReadApiToken(row));
    return tokens;
  });
}

absl::StatusOr<ApiToken> PostgresStore::RevokeApiToken(const std::string& project, const std::string& id,
                                                       absl::Time now) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<ApiToken> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kRevokeApiToken, project, id, now));
    if (rows.empty()) return NotFound("token", id);
    return ReadApiToken(rows[0]);
  });
}

absl::Status PostgresStore::ReplaceBootstrapTokens(const std::vector<std::pair<ApiToken, std::string>>& tokens,
                                                   absl::Time now) {
  std::vector<Bytes> hashes;
  hashes.reserve(tokens.size());
  for (const auto& [token, hash] : tokens) hashes.push_back(Bytes{hash});
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::Status {
    for (const auto& [token, hash] : tokens) {
      DAVIT_RETURN_IF_ERROR(transaction
                                .Execute(queries::kUpsertBootstrapToken, token.id, token.project, token.display_name,
                                         auth::RoleName(token.role), Bytes{hash}, token.create_time)
                                .status());
    }
    return transaction.Execute(queries::kRevokeAbsentBootstrapTokens, hashes, now).status();
  });
}

}  // namespace davit::token_registry
