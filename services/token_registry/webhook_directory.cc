// Implements webhook_directory.h.
#include "services/token_registry/webhook_directory.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/token.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

constexpr size_t kSigningKeyBytes = 32;

// GitLab takes a signing token of the form `whsec_` and base64 of 32 bytes, and the same text as a plain secret token.
crypto::SecretString RandomSigningKey(RandomSource& random) {
  std::string bytes(kSigningKeyBytes, '\0');
  random.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  std::string encoded = absl::Base64Escape(bytes);
  crypto::SecretString key(absl::StrCat("whsec_", encoded));
  crypto::Wipe(bytes);
  crypto::Wipe(encoded);
  return key;
}

SecretPlace PlaceOf(const Webhook& webhook) { return {webhook.project, webhook.id, "secret"}; }

}  // namespace

absl::StatusOr<WebhookDirectory::WithSecret> WebhookDirectory::Create(const std::string& project,
                                                                      const std::string& connection_id,
                                                                      const std::string& repository) {
  if (!repository.empty()) DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("repository", repository));
  DAVIT_ASSIGN_OR_RETURN(const Connection connection, store_.GetConnection(project, connection_id));
  return Make(connection, repository, Kind::kByHand);
}

absl::StatusOr<WebhookDirectory::WithSecret> WebhookDirectory::FindOrCreateManaged(const auth::Caller& caller,
                                                                                   const Connection& connection,
                                                                                   const std::string& repository) {
  const auto found = store_.FindManagedWebhook(connection.project, connection.id, repository);
  if (absl::IsNotFound(found.status())) return Make(connection, repository, Kind::kManaged);
  if (!found.ok()) return found.status();
  DAVIT_ASSIGN_OR_RETURN(crypto::SecretString secret,
                         vault_.Open(PlaceOf(found->first), found->second, caller, "install webhook"));
  return WithSecret(found->first, std::move(secret));
}

absl::StatusOr<WebhookDirectory::WithSecret> WebhookDirectory::Make(const Connection& connection,
                                                                    const std::string& repository, Kind kind) {
  Webhook webhook;
  webhook.id = NewId("whk", clock_, random_);
  webhook.project = connection.project;
  webhook.connection_id = connection.id;
  webhook.managed = kind == Kind::kManaged;
  webhook.repository = repository;
  webhook.provider = connection.provider;
  webhook.create_time = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  crypto::SecretString secret =
      webhook.provider == Provider::kGitLab ? RandomSigningKey(random_) : crypto::RandomToken(random_, "whs_");
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
