// Credentials for builds: granted to (build, fence) by the scheduler, issued to the build's agent while the grant
// lasts. Thread-safe; calls block on the store, and on providers while
// they refresh a token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "services/token_registry/build_secret_directory.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/store.h"
#include "services/token_registry/token_keeper.h"

namespace davit::token_registry {

// A credential for one repository of a git server.
struct SourceAccess {
  std::string clone_url;
  std::string username;
  crypto::SecretString password;
  Provider provider = Provider::kGenericGit;
};

// A credential for a registry; an empty user name means without authentication.
struct RegistryAccess {
  std::string registry;
  std::string username;
  crypto::SecretString password;
};

// What an agent gets for a build.
struct BuildCredentials {
  std::optional<SourceAccess> source;
  std::optional<RegistryAccess> registry;
  std::vector<std::pair<std::string, crypto::SecretString>> secrets;  // By name.
  absl::Time expire_time;
};

// Errors are those that proto/davit/registry/v1/token_registry.proto names.
class BuildCredentialBroker {
 public:
  // All parameters must outlive the broker.
  BuildCredentialBroker(Store& store, BuildSecretDirectory& secrets, SecretVault& vault, TokenKeeper& tokens,
                        Clock& clock)
      : store_(store), secrets_(secrets), vault_(vault), tokens_(tokens), clock_(clock) {}

  // Allows the holder of (build, fence) to be issued what the grant's scope names.
  absl::Status Grant(const BuildGrant& grant);

  // Ends the grants of a build up to `fence`, also those that arrive later.
  absl::Status Revoke(const std::string& project, const std::string& build_id, int64_t fence);

  // The credentials of a running build, for its agent.
  absl::StatusOr<BuildCredentials> IssueForBuild(const auth::Caller& caller, const std::string& build_id,
                                                 int64_t fence);

  // The registry credential with which a finished build's tags are set.
  absl::StatusOr<RegistryAccess> IssueForPublishing(const auth::Caller& caller, const std::string& project,
                                                    const std::string& build_id,
                                                    const std::string& registry_credential_id,
                                                    const std::string& image_repository);

 private:
  absl::Status CheckScope(const std::string& project, const BuildCredentialScope& scope);
  absl::StatusOr<SourceAccess> OpenSource(const auth::Caller& caller, const BuildGrant& grant);
  absl::StatusOr<RegistryAccess> OpenRegistry(const auth::Caller& caller, const std::string& project,
                                              const std::string& credential_id, absl::string_view purpose,
                                              const std::string& build_id);

  Store& store_;
  BuildSecretDirectory& secrets_;
  SecretVault& vault_;
  TokenKeeper& tokens_;
  Clock& clock_;
};

}  // namespace davit::token_registry
