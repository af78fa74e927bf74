// Webhook endpoints and their secrets. Thread-safe; calls block on the store.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

class WebhookDirectory {
 public:
  using WithSecret = std::pair<Webhook, crypto::SecretString>;

  // All parameters must outlive the directory.
  WebhookDirectory(Store& store, SecretVault& vault, Clock& clock, RandomSource& random)
      : store_(store), vault_(vault), clock_(clock), random_(random) {}

  // Makes an endpoint for a connection (of one repository unless that is empty) with a fresh secret. GitLab's is a
  // signing key that also serves as a plain secret token.
  absl::StatusOr<WithSecret> Create(const std::string& project, const std::string& connection_id,
                                    const std::string& repository);

  // The endpoint of a repository that is installed at its provider, with its secret; made if there is none.
  absl::StatusOr<WithSecret> FindOrCreateManaged(const auth::Caller& caller, const Connection& connection,
                                                 const std::string& repository);

  // The endpoint with its secret, of any project that the caller may see. NOT_FOUND.
  absl::StatusOr<WithSecret> GetSecret(const auth::Caller& caller, const std::string& id);

 private:
  enum class Kind { kByHand, kManaged };
  absl::StatusOr<WithSecret> Make(const Connection& connection, const std::string& repository, Kind kind);

  Store& store_;
  SecretVault& vault_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::token_registry
