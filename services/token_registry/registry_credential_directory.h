// Registry credentials: what may be stored, and trying it. Thread-safe; calls block on the store and on registries.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

class RegistryCredentialDirectory {
 public:
  // All parameters must outlive the directory.
  RegistryCredentialDirectory(Store& store, SecretVault& vault, ProviderClient& provider, Clock& clock,
                              RandomSource& random)
      : store_(store), vault_(vault), provider_(provider), clock_(clock), random_(random) {}

  // Checks and completes `draft` (its project is resolved already), tries the password against the registry, stores
  // both. Errors are those that proto/davit/registry/v1/token_registry.proto names.
  absl::StatusOr<RegistryCredential> Create(RegistryCredential draft, const crypto::SecretString& password);

  // Where the password of a credential belongs.
  static SecretPlace PasswordPlace(const RegistryCredential& credential);

 private:
  Store& store_;
  SecretVault& vault_;
  ProviderClient& provider_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::token_registry
