// Source connections: what may be stored, trying tokens, looking into repositories. Thread-safe; calls block on the
// store and on providers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/http/address_policy.h"
#include "libs/ids/random.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

// What an update changes; nullopt leaves a field as it is.
struct ConnectionChange {
  std::optional<std::string> display_name;
  std::optional<std::string> username;
  std::optional<std::string> probe_repository;
};

// A revision of a repository, resolved.
struct ResolvedCommit {
  std::string id;   // 40 lower-case hexadecimal digits.
  std::string ref;  // Full name; empty when a commit id was asked for.
  std::string clone_url;
};

// Errors are those that proto/davit/registry/v1/token_registry.proto names.
class ConnectionDirectory {
 public:
  // How long before its end a token is worth a warning.
  static constexpr absl::Duration kWarnBefore = absl::Hours(24 * 14);

  // All parameters must outlive the directory.
  ConnectionDirectory(Store& store, SecretVault& vault, ProviderClient& provider, const http::AddressPolicy& policy,
                      Clock& clock, RandomSource& random)
      : store_(store), vault_(vault), provider_(provider), policy_(policy), clock_(clock), random_(random) {}

  // Checks and completes `draft` (its project is resolved already), tries the token, stores both.
  absl::StatusOr<Connection> Create(Connection draft, const crypto::SecretString& token);

  // Applies a change; whatever the provider sees of it is tried first.
  absl::StatusOr<Connection> Update(const auth::Caller& caller, const std::string& project, const std::string& id,
                                    const ConnectionChange& change);

  // Tries another token, with another user name unless that is empty, and stores it in place of the present one.
  absl::StatusOr<Connection> RotateToken(const std::string& project, const std::string& id,
                                         const crypto::SecretString& token, const std::string& username);

  // Tries the stored token and stores what came of it.
  absl::StatusOr<Connection> Verify(const auth::Caller& caller, const std::string& project, const std::string& id);

  // The connection's token, for `purpose` (and `build_id`, if for one), after that was written down.
  absl::StatusOr<crypto::SecretString> OpenToken(const auth::Caller& caller, const Connection& connection,
                                                 absl::string_view purpose, absl::string_view build_id = "");

  // Branches and tags of a repository, all of them.
  absl::StatusOr<RemoteRefs> ListRefs(const auth::Caller& caller, const std::string& project, const std::string& id,
                                      const std::string& repository);

  // What `revision` means now: a full ref, a branch or tag name, a commit id, or empty for the default branch.
  absl::StatusOr<ResolvedCommit> GetCommit(const auth::Caller& caller, const std::string& project,
                                           const std::string& id, const std::string& repository,
                                           const std::string& revision);

 private:
  absl::Status Check(const Connection& connection) const;
  absl::Status Try(Connection& connection, const crypto::SecretString& token);
  absl::StatusOr<RemoteRefs> RefsOf(const auth::Caller& caller, const Connection& connection,
                                    const std::string& repository, absl::string_view purpose);
  absl::Time Now() const;

  Store& store_;
  SecretVault& vault_;
  ProviderClient& provider_;
  const http::AddressPolicy& policy_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::token_registry
