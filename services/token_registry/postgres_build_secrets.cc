// Implements postgres_build_secrets.h.
#include "services/token_registry/postgres_build_secrets.h"

#include "absl/strings/str_cat.h"
#include "libs/postgres/error.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/postgres_rows.h"
#include "services/token_registry/queries.h"

namespace davit::token_registry {
namespace {

using postgres::Bytes;
using postgres::ReadText;
using postgres::ReadTime;
using postgres::Transaction;

absl::Status NoSecret(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("no secret \"", name, "\"; `davit secret list` lists them"));
}

BuildSecret ReadBuildSecret(const pqxx::row& row) {
  BuildSecret secret;
  secret.id = ReadText(row["id"]);
  secret.project = ReadText(row["project"]);
  secret.name = ReadText(row["name"]);
  secret.description = ReadText(row["description"]);
  secret.version = row["version"].as<int64_t>();
  secret.create_time = ReadTime(row["create_time"]);
  secret.update_time = ReadTime(row["update_time"]);
  return secret;
}

}  // namespace

absl::Status PostgresBuildSecretStore::Insert(const BuildSecret& secret, const crypto::SealedSecret& value) {
  const absl::Status status = pool_.Transact(ScopeOf(secret.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kInsertBuildSecret, secret.id, secret.project, secret.name, secret.description,
                 secret.create_time, value.key_id, Bytes{value.wrapped_key}, Bytes{value.nonce},
                 Bytes{value.ciphertext})
        .status();
  });
  if (postgres::ViolatedConstraint(status) != "build_secrets_name_key") return status;
  return absl::AlreadyExistsError(
      absl::StrCat("secret.name: the project has a secret \"", secret.name, "\" already; update that one"));
}

absl::StatusOr<BuildSecret> PostgresBuildSecretStore::Get(const std::string& project, const std::string& name) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<BuildSecret> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetBuildSecret, project, name));
    if (rows.empty()) return NoSecret(name);
    return ReadBuildSecret(rows[0]);
  });
}

absl::StatusOr<std::pair<BuildSecret, crypto::SealedSecret>> PostgresBuildSecretStore::GetWithValue(
    const std::string& project, const std::string& name) {
  using Found = std::pair<BuildSecret, crypto::SealedSecret>;
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<Found> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetBuildSecretValue, project, name));
    if (rows.empty()) return NoSecret(name);
    return Found(ReadBuildSecret(rows[0]), ReadSealed(rows[0]));
  });
}

absl::StatusOr<std::vector<BuildSecret>> PostgresBuildSecretStore::List(const std::string& project, const Page& page) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<BuildSecret>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListBuildSecrets, project, page.after, page.size));
    std::vector<BuildSecret> secrets;
    for (const pqxx::row& row : rows) secrets.push_back(ReadBuildSecret(row));
    return secrets;
  });
}

absl::StatusOr<BuildSecret> PostgresBuildSecretStore::Update(const BuildSecret& secret,
                                                             const BuildSecretChange& change) {
  return pool_.Transact(ScopeOf(secret.project), [&](Transaction& transaction) -> absl::StatusOr<BuildSecret> {
    if (change.value.has_value()) {
      DAVIT_RETURN_IF_ERROR(transaction
                                .Execute(queries::kSetBuildSecretValue, secret.id, change.value->key_id,
                                         Bytes{change.value->wrapped_key}, Bytes{change.value->nonce},
                                         Bytes{change.value->ciphertext})
                                .status());
    }
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kTouchBuildSecret, secret.id,
                                                                        change.description, change.update_time));
    if (rows.empty()) return NoSecret(secret.name);
    return ReadBuildSecret(rows[0]);
  });
}

absl::Status PostgresBuildSecretStore::Delete(const std::string& project, const std::string& name) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kDeleteBuildSecret, project, name));
    return rows.affected_rows() == 0 ? NoSecret(name) : absl::OkStatus();
  });
}

}  // namespace davit::token_registry
