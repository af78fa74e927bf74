// Implements the webhooks of postgres_store.h.
#include "libs/postgres/error.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/postgres_rows.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/queries.h"

namespace davit::token_registry {

using postgres::Bytes;
using postgres::Transaction;

absl::Status PostgresStore::InsertWebhook(const Webhook& webhook, const crypto::SealedSecret& secret) {
  const absl::Status status = pool_.Transact(ScopeOf(webhook.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kInsertWebhook, webhook.id, webhook.project, webhook.connection_id, webhook.repository,
                 webhook.create_time, secret.key_id, Bytes{secret.wrapped_key}, Bytes{secret.nonce},
                 Bytes{secret.ciphertext}, webhook.managed)
        .status();
  });
  if (postgres::ViolatedConstraint(status) == "webhooks_managed") {
    return absl::AbortedError("another call installs a webhook for this repository now; try again");
  }
  if (postgres::ViolatedConstraint(status) == "webhooks_connection_fkey") {
    return NotFound("connection", webhook.connection_id);
  }
  return status;
}

absl::StatusOr<std::pair<Webhook, crypto::SealedSecret>> PostgresStore::FindWebhook(const std::string& project,
                                                                                    const std::string& id) {
  using Found = std::pair<Webhook, crypto::SealedSecret>;
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<Found> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kFindWebhook, id));
    if (rows.empty()) return NotFound("webhook", id);
    return Found(ReadWebhook(rows[0]), ReadSealed(rows[0]));
  });
}

absl::StatusOr<std::vector<Webhook>> PostgresStore::ListWebhooks(const std::string& project,
                                                                 const std::string& connection_id, const Page& page) {
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<Webhook>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListWebhooks, project, connection_id, page.after, page.size));
    std::vector<Webhook> webhooks;
    for (const pqxx::row& row : rows) webhooks.push_back(ReadWebhook(row));
    return webhooks;
  });
}

absl::Status PostgresStore::DeleteWebhook(const std::string& project, const std::string& id) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kDeleteWebhook, project, id));
    return rows.affected_rows() == 0 ? NotFound("webhook", id) : absl::OkStatus();
  });
}

absl::StatusOr<std::pair<Webhook, crypto::SealedSecret>> PostgresStore::FindManagedWebhook(
    const std::string& project, const std::string& connection_id, const std::string& repository) {
  using Found = std::pair<Webhook, crypto::SealedSecret>;
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<Found> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kFindManagedWebhook, project, connection_id, repository));
    if (rows.empty()) return NotFound("webhook", repository);
    return Found(ReadWebhook(rows[0]), ReadSealed(rows[0]));
  });
}

absl::Status PostgresStore::SetWebhookHookId(const std::string& project, const std::string& id,
                                             const std::string& provider_hook_id) {
  return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kSetWebhookHookId, project, id, provider_hook_id));
    return rows.affected_rows() == 0 ? NotFound("webhook", id) : absl::OkStatus();
  });
}

}  // namespace davit::token_registry
