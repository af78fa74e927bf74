// The secrets of projects: made, replaced, and opened for builds. Thread-safe; calls block on the store.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "services/token_registry/build_secret_store.h"
#include "services/token_registry/secret_vault.h"

namespace davit::token_registry {

// Errors are those that proto/davit/registry/v1/build_secrets.proto names.
class BuildSecretDirectory {
 public:
  // All parameters must outlive the directory.
  BuildSecretDirectory(BuildSecretStore& store, SecretVault& vault, Clock& clock, RandomSource& random)
      : store_(store), vault_(vault), clock_(clock), random_(random) {}

  // Stores a secret; `draft` has project, name and description.
  absl::StatusOr<BuildSecret> Create(BuildSecret draft, const crypto::SecretString& value);

  // Gives a secret another value, another description or both.
  absl::StatusOr<BuildSecret> Update(const std::string& project, const std::string& name,
                                     const std::optional<crypto::SecretString>& value,
                                     const std::optional<std::string>& description);

  // OK when the project has it.
  absl::Status CheckExists(const std::string& project, const std::string& name);

  // The value of a secret, for a build; the access is recorded.
  absl::StatusOr<crypto::SecretString> OpenForBuild(const auth::Caller& caller, const std::string& project,
                                                    const std::string& name, absl::string_view build_id);

 private:
  BuildSecretStore& store_;
  SecretVault& vault_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::token_registry
