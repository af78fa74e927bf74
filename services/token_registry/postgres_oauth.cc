// Implements the refresh tokens and the authorizations of postgres_store.h.
#include <utility>

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

constexpr absl::string_view kBrowser = "browser";
constexpr absl::string_view kDevice = "device";

OAuthAuthorization ReadAuthorization(const pqxx::row& row) {
  OAuthAuthorization authorization;
  authorization.id = ReadText(row["id"]);
  authorization.project = ReadText(row["project"]);
  authorization.state_hash = postgres::ReadBytes(row["state_hash"]);
  authorization.token_id = ReadText(row["token_id"]);
  authorization.flow =
      ReadText(row["flow"]) == kBrowser ? OAuthAuthorization::Flow::kBrowser : OAuthAuthorization::Flow::kDevice;
  authorization.connection_id = ReadText(row["connection_id"]);
  authorization.display_name = ReadText(row["display_name"]);
  authorization.provider = ProviderOf(ReadText(row["provider"]));
  authorization.base_url = ReadText(row["base_url"]);
  authorization.redirect_uri = ReadText(row["redirect_uri"]);
  authorization.poll_interval = absl::Seconds(row["poll_seconds"].as<int64_t>());
  authorization.next_poll_time = postgres::ReadTime(row["next_poll_time"]);
  authorization.expire_time = postgres::ReadTime(row["expire_time"]);
  return authorization;
}

}  // namespace

absl::StatusOr<RefreshToken> PostgresStore::GetRefreshToken(const std::string& project, const std::string& id) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<RefreshToken> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetRefreshToken, project, id));
    if (rows.empty()) return NotFound("refresh token", id);
    return RefreshToken{ReadSealed(rows[0]), rows[0]["version"].as<int64_t>(), rows[0]["refused"].as<bool>()};
  });
}

absl::StatusOr<bool> PostgresStore::ClaimRefresh(const std::string& project, const std::string& id, int64_t version,
                                                 const std::string& claim, absl::Duration claim_for) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<bool> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kClaimRefresh, project, id, version, claim, claim_for));
    return rows.affected_rows() > 0;
  });
}

absl::Status PostgresStore::ReleaseRefresh(const std::string& project, const std::string& id, int64_t version,
                                           const std::string& claim) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) {
    return transaction.Execute(queries::kReleaseRefresh, project, id, version, claim).status();
  });
}

absl::Status PostgresStore::StoreRefreshed(const Connection& connection, int64_t version,
                                           const ConnectionSecrets& secrets, absl::Time expire_time, absl::Time now) {
  return pool_.Transact(ScopeOf(connection.project), [&](Transaction& transaction) -> absl::Status {
    std::optional<std::string> key_id;
    std::optional<Bytes> wrapped_key;
    std::optional<Bytes> nonce;
    std::optional<Bytes> ciphertext;
    if (secrets.refresh_token) {
      key_id = secrets.refresh_token->key_id;
      wrapped_key = Bytes{secrets.refresh_token->wrapped_key};
      nonce = Bytes{secrets.refresh_token->nonce};
      ciphertext = Bytes{secrets.refresh_token->ciphertext};
    }
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kStoreRefreshToken, connection.project, connection.id, version,
                                               key_id, wrapped_key, nonce, ciphertext));
    if (rows.affected_rows() == 0) return absl::OkStatus();  // What is there is newer.
    return transaction
        .Execute(queries::kStoreRefreshedConnection, connection.project, connection.id, NullIfInfinite(expire_time),
                 now, secrets.token.key_id, Bytes{secrets.token.wrapped_key}, Bytes{secrets.token.nonce},
                 Bytes{secrets.token.ciphertext})
        .status();
  });
}

absl::Status PostgresStore::RefuseRefresh(const std::string& project, const std::string& id, int64_t version,
                                          const std::string& claim, GrantEnd end, const std::string& reason,
                                          absl::Time now) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kRefuseRefresh, project, id, version,
                                                                        claim, end == GrantEnd::kEnded));
    if (rows.affected_rows() == 0) {
      return absl::AbortedError("another replica refreshed the token meanwhile; try again");
    }
    return transaction.Execute(queries::kInvalidateConnection, project, id, reason, now).status();
  });
}

absl::StatusOr<std::vector<Connection>> PostgresStore::ListRenewals(absl::Time ends_before, int limit) {
  return pool_.Read(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<Connection>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kListRenewals, ends_before, limit));
    std::vector<Connection> connections;
    for (const pqxx::row& row : rows) connections.push_back(ReadConnection(row));
    return connections;
  });
}

absl::Status PostgresStore::InsertAuthorization(const OAuthAuthorization& authorization,
                                                const crypto::SealedSecret& verifier) {
  return pool_.Transact(ScopeOf(authorization.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kInsertAuthorization, authorization.id, authorization.project,
                 Bytes{authorization.state_hash}, authorization.token_id,
                 authorization.flow == OAuthAuthorization::Flow::kBrowser ? kBrowser : kDevice,
                 authorization.connection_id, authorization.display_name, ProviderWord(authorization.provider),
                 authorization.base_url, authorization.redirect_uri, authorization.poll_interval,
                 authorization.next_poll_time, authorization.expire_time, verifier.key_id, Bytes{verifier.wrapped_key},
                 Bytes{verifier.nonce}, Bytes{verifier.ciphertext})
        .status();
  });
}

absl::StatusOr<std::pair<OAuthAuthorization, crypto::SealedSecret>> PostgresStore::FindAuthorization(
    const std::string& project, const std::string& state_hash) {
  using Found = std::pair<OAuthAuthorization, crypto::SealedSecret>;
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<Found> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kFindAuthorization, project, Bytes{state_hash}));
    if (rows.empty()) return NotFound("authorization", "state");
    return Found(ReadAuthorization(rows[0]), ReadSealed(rows[0]));
  });
}

absl::Status PostgresStore::SetAuthorizationPoll(const OAuthAuthorization& read, absl::Duration interval,
                                                 absl::Time next) {
  return pool_.Transact(ScopeOf(read.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kSetAuthorizationPoll, read.project, read.id, read.next_poll_time, interval, next)
        .status();
  });
}

absl::Status PostgresStore::DeleteAuthorization(const std::string& project, const std::string& id) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kDeleteAuthorization, project, id));
    return rows.affected_rows() == 0 ? NotFound("authorization", id) : absl::OkStatus();
  });
}

}  // namespace davit::token_registry
