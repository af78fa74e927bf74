// Implements of postgres_store.h what concerns the ends of tokens and the rotation of keys.
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/postgres_rows.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/queries.h"

namespace davit::token_registry {
namespace {

using postgres::Bytes;
using postgres::ReadText;
using postgres::Scope;
using postgres::Transaction;

SecretKind KindOf(absl::string_view table) {
  if (table == "connections") return SecretKind::kConnection;
  if (table == "webhooks") return SecretKind::kWebhook;
  if (table == "oauth_refresh_tokens") return SecretKind::kRefreshToken;
  if (table == "build_secrets") return SecretKind::kBuildSecret;
  return table == "oauth_authorizations" ? SecretKind::kAuthorization : SecretKind::kRegistryCredential;
}

const postgres::Statement& RewrapStatement(SecretKind kind) {
  switch (kind) {
    case SecretKind::kConnection:
      return queries::kRewrapConnection;
    case SecretKind::kRegistryCredential:
      return queries::kRewrapRegistryCredential;
    case SecretKind::kRefreshToken:
      return queries::kRewrapRefreshToken;
    case SecretKind::kAuthorization:
      return queries::kRewrapAuthorization;
    case SecretKind::kBuildSecret:
      return queries::kRewrapBuildSecret;
    case SecretKind::kWebhook:
      break;
  }
  return queries::kRewrapWebhook;
}

}  // namespace

absl::StatusOr<TokenEnds> PostgresStore::MarkTokenEnds(absl::Time now, absl::Duration warn_before) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<TokenEnds> {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kMarkTokenEnds, now, warn_before).status());
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kCountTokenEnds, now, warn_before));
    return TokenEnds{rows[0]["ending"].as<int64_t>(), rows[0]["ended"].as<int64_t>()};
  });
}

absl::StatusOr<std::vector<StoredSecret>> PostgresStore::ListForeignSecrets(const std::string& key_id, int limit) {
  return pool_.Read(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<StoredSecret>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kListForeignSecrets, key_id, limit));
    std::vector<StoredSecret> secrets;
    for (const pqxx::row& row : rows) {
      secrets.push_back({KindOf(ReadText(row["kind"])), ReadText(row["id"]), ReadText(row["project"]),
                         ReadText(row["field"]), ReadSealed(row)});
    }
    return secrets;
  });
}

absl::StatusOr<int64_t> PostgresStore::CountForeignSecrets(const std::string& key_id) {
  return pool_.Read(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int64_t> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kCountForeignSecrets, key_id));
    return rows[0][0].as<int64_t>();
  });
}

absl::Status PostgresStore::Rewrap(const StoredSecret& read, const std::string& key_id,
                                   const std::string& wrapped_key) {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
    return transaction
        .Execute(RewrapStatement(read.kind), read.id, Bytes{read.sealed.wrapped_key}, key_id, Bytes{wrapped_key})
        .status();
  });
}

}  // namespace davit::token_registry
