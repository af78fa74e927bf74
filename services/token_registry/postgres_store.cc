// Implements the connections and registry credentials of postgres_store.h.
#include "services/token_registry/postgres_store.h"

#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/postgres_rows.h"
#include "services/token_registry/queries.h"

namespace davit::token_registry {

using postgres::Bytes;
using postgres::Transaction;

namespace {

// Puts the refresh token in place of the present one, or removes that.
absl::Status WriteRefreshToken(Transaction& transaction, const Connection& connection,
                               const std::optional<crypto::SealedSecret>& token) {
  if (!token) return transaction.Execute(queries::kDeleteRefreshToken, connection.project, connection.id).status();
  return transaction
      .Execute(queries::kPutRefreshToken, connection.id, connection.project, token->key_id, Bytes{token->wrapped_key},
               Bytes{token->nonce}, Bytes{token->ciphertext})
      .status();
}

}  // namespace

absl::Status PostgresStore::InsertConnection(const Connection& connection, const ConnectionSecrets& secrets) {
  const crypto::SealedSecret& token = secrets.token;
  const absl::Status status =
      pool_.Transact(ScopeOf(connection.project), [&](Transaction& transaction) -> absl::Status {
        DAVIT_RETURN_IF_ERROR(
            transaction
                .Execute(queries::kInsertConnection, connection.id, connection.project, connection.display_name,
                         ProviderWord(connection.provider), connection.base_url, connection.username,
                         connection.probe_repository, StateWord(connection.state), connection.state_reason,
                         connection.account, connection.scopes, NullIfInfinite(connection.verify_time),
                         NullIfInfinite(connection.token_expire_time), connection.create_time, connection.update_time,
                         token.key_id, Bytes{token.wrapped_key}, Bytes{token.nonce}, Bytes{token.ciphertext},
                         connection.missing_scopes, CredentialKindWord(connection.credential_kind))
                .status());
        return WriteRefreshToken(transaction, connection, secrets.refresh_token);
      });
  return NameTaken(status, "connections_display_name_key", connection.display_name);
}

absl::StatusOr<Connection> PostgresStore::GetConnection(const std::string& project, const std::string& id) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<Connection> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetConnection, project, id));
    if (rows.empty()) return NotFound("connection", id);
    return ReadConnection(rows[0]);
  });
}

absl::StatusOr<crypto::SealedSecret> PostgresStore::GetConnectionToken(const std::string& project,
                                                                       const std::string& id) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<crypto::SealedSecret> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetConnectionSecret, project, id));
    if (rows.empty()) return NotFound("connection", id);
    return ReadSealed(rows[0]);
  });
}

absl::StatusOr<std::vector<Connection>> PostgresStore::ListConnections(const std::string& project, const Page& page) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<Connection>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListConnections, project, page.after, page.size));
    std::vector<Connection> connections;
    for (const pqxx::row& row : rows) connections.push_back(ReadConnection(row));
    return connections;
  });
}

absl::Status PostgresStore::UpdateConnection(const Connection& connection, absl::Time expected_update_time,
                                             const ConnectionSecrets* secrets) {
  const absl::Status status =
      pool_.Transact(ScopeOf(connection.project), [&](Transaction& transaction) -> absl::Status {
        DAVIT_ASSIGN_OR_RETURN(
            const pqxx::result rows,
            transaction.Execute(queries::kUpdateConnection, connection.project, connection.id, connection.display_name,
                                connection.username, connection.probe_repository, StateWord(connection.state),
                                connection.state_reason, connection.update_time, expected_update_time,
                                connection.account, connection.scopes, NullIfInfinite(connection.verify_time),
                                NullIfInfinite(connection.token_expire_time), connection.missing_scopes,
                                CredentialKindWord(connection.credential_kind)));
        if (rows.affected_rows() == 0) {
          return absl::AbortedError("the connection was changed or deleted by another call meanwhile; try again");
        }
        if (secrets == nullptr) return absl::OkStatus();
        const crypto::SealedSecret& token = secrets->token;
        DAVIT_RETURN_IF_ERROR(transaction
                                  .Execute(queries::kUpdateConnectionSecret, connection.project, connection.id,
                                           token.key_id, Bytes{token.wrapped_key}, Bytes{token.nonce},
                                           Bytes{token.ciphertext})
                                  .status());
        return WriteRefreshToken(transaction, connection, secrets->refresh_token);
      });
  return NameTaken(status, "connections_display_name_key", connection.display_name);
}

absl::Status PostgresStore::DeleteConnection(const std::string& project, const std::string& id) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kDeleteConnection, project, id));
    return rows.affected_rows() == 0 ? NotFound("connection", id) : absl::OkStatus();
  });
}

absl::Status PostgresStore::InsertRegistryCredential(const RegistryCredential& credential,
                                                     const crypto::SealedSecret& password) {
  const absl::Status status = pool_.Transact(ScopeOf(credential.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kInsertRegistryCredential, credential.id, credential.project, credential.display_name,
                 credential.registry, credential.username, credential.create_time, credential.update_time,
                 password.key_id, Bytes{password.wrapped_key}, Bytes{password.nonce}, Bytes{password.ciphertext})
        .status();
  });
  return NameTaken(status, "registry_credentials_display_name_key", credential.display_name);
}

absl::StatusOr<RegistryCredential> PostgresStore::GetRegistryCredential(const std::string& project,
                                                                        const std::string& id) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<RegistryCredential> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetRegistryCredential, project, id));
    if (rows.empty()) return NotFound("registry credential", id);
    return ReadRegistryCredential(rows[0]);
  });
}

absl::StatusOr<crypto::SealedSecret> PostgresStore::GetRegistryPassword(const std::string& project,
                                                                        const std::string& id) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<crypto::SealedSecret> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kGetRegistryCredentialSecret, project, id));
    if (rows.empty()) return NotFound("registry credential", id);
    return ReadSealed(rows[0]);
  });
}

absl::StatusOr<std::vector<RegistryCredential>> PostgresStore::ListRegistryCredentials(const std::string& project,
                                                                                       const Page& page) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<RegistryCredential>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListRegistryCredentials, project, page.after, page.size));
    std::vector<RegistryCredential> credentials;
    for (const pqxx::row& row : rows) credentials.push_back(ReadRegistryCredential(row));
    return credentials;
  });
}

absl::Status PostgresStore::DeleteRegistryCredential(const std::string& project, const std::string& id) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kDeleteRegistryCredential, project, id));
    return rows.affected_rows() == 0 ? NotFound("registry credential", id) : absl::OkStatus();
  });
}

}  // namespace davit::token_registry
