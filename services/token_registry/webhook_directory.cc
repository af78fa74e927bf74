// Implements webhook_directory.h.
#include "services/token_registry/webhook_directory.h"

#include "libs/crypto/token.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

SecretPlace PlaceOf(const Webhook& webhook) { return {webhook.project, webhook.id, "secret"}; }

}  // namespace

absl::StatusOr<WebhookDirectory::WithSecret> WebhookDirectory::Create(const std::string& project,
                                                                      const std::string& connection_id,
                                                                      const std::string& repository) {
  if (!repository.empty()) DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("repository", repository));
  DAVIT_ASSIGN_OR_RETURN(const Connection connection, store_.GetConnection(project, connection_id));
  Webhook webhook;
  webhook.id = NewId("whk", clock_, random_);
  webhook.project = project;
  webhook.connection_id = connection_id;
  webhook.repository = repository;
  webhook.provider = connection.provider;
  webhook.create_time = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  crypto::SecretString secret = crypto::RandomToken(random_, "whs_");
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed, vault_.Seal(PlaceOf(webhook), secret));
  DAVIT_RETURN_IF_ERROR(store_.InsertWebhook(webhook, sealed));
  return WithSecret(std::move(webhook), std::move(secret));
}

absl::StatusOr<WebhookDirectory::WithSecret> WebhookDirectory::GetSecret(const auth::Caller& caller,
                                                                         const std::string& id) {
  DAVIT_ASSIGN_OR_RETURN(const auto found, store_.FindWebhook(caller.project, id));
  DAVIT_ASSIGN_OR_RETURN(crypto::SecretString secret,
                         vault_.Open(PlaceOf(found.first), found.second, caller, "webhook"));
  return WithSecret(found.first, std::move(secret));
}

}  // namespace davit::token_registry
