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
#include "libs/crypto/hash.h"
#include "libs/crypto/secret.h"
#include "libs/http/address_policy.h"
#include "libs/ids/random.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/store.h"
#include "services/token_registry/token_keeper.h"

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
  ConnectionDirectory(Store& store, SecretVault& vault, TokenKeeper& tokens, ProviderClient& provider,
                      const http::AddressPolicy& policy, Clock& clock, RandomSource& random)
      : store_(store),
        vault_(vault),
        tokens_(tokens),
        provider_(provider),
        policy_(policy),
        clock_(clock),
        random_(random) {}

  // Checks and completes `draft` (its project is resolved already), tries the token, stores both.
  absl::StatusOr<Connection> Create(Connection draft, const crypto::SecretString& token);

  // Applies a change; whatever the provider sees of it is tried first.
  absl::StatusOr<Connection> Update(const auth::Caller& caller, const std::string& project, const std::string& id,
                                    const ConnectionChange& change);

  // Tries another token, with another user name unless that is empty, and stores it in place of the present one.
  absl::StatusOr<Connection> RotateToken(const std::string& project, const std::string& id,
                                         const crypto::SecretString& token, const std::string& username);

  // Stores the tokens that an authorization ended with, after trying them: in a new connection, or in place of those of
  // the one that was authorized anew.
  absl::StatusOr<Connection> Authorize(const OAuthAuthorization& authorization, const OAuthTokens& tokens);

  // Tries the stored token and stores what came of it.
  absl::StatusOr<Connection> Verify(const auth::Caller& caller, const std::string& project, const std::string& id);

  // Calls `use` (a function of connection and token that returns a status or a StatusOr) with the connection's token,
  // opened for `purpose` (and `build_id`, if for one). Once more if the provider refused it while the token was
  // refreshed by somebody else: the provider may have ended the old one before we used it. `refused` says what of a
  // result is a refusal.
  template <typename Use, typename Refused>
  auto WithToken(const auth::Caller& caller, Connection& connection, absl::string_view purpose,
                 absl::string_view build_id, Use use, Refused refused)
      -> decltype(use(connection, crypto::SecretString())) {
    DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString token, tokens_.Open(caller, connection, purpose, build_id));
    auto result = use(connection, token);
    if (!connection.renews || !refused(result)) return result;
    DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString newer, tokens_.Open(caller, connection, purpose, build_id));
    return crypto::ConstantTimeEquals(token.Reveal(), newer.Reveal()) ? result : use(connection, newer);
  }
  template <typename Use>
  auto WithToken(const auth::Caller& caller, Connection& connection, absl::string_view purpose, Use use)
      -> decltype(use(connection, crypto::SecretString())) {
    return WithToken(caller, connection, purpose, "", use,
                     [](const auto& result) { return absl::IsFailedPrecondition(StatusOf(result)); });
  }

  // Branches and tags of a repository, all of them.
  absl::StatusOr<RemoteRefs> ListRefs(const auth::Caller& caller, const std::string& project, const std::string& id,
                                      const std::string& repository);

  // What `revision` means now: a full ref, a branch or tag name, a commit id, or empty for the default branch.
  absl::StatusOr<ResolvedCommit> GetCommit(const auth::Caller& caller, const std::string& project,
                                           const std::string& id, const std::string& repository,
                                           const std::string& revision);

 private:
  absl::StatusOr<Connection> VerifyOnce(const auth::Caller& caller, const std::string& project, const std::string& id);
  absl::Status Check(const Connection& connection) const;
  absl::Status Try(Connection& connection, const crypto::SecretString& token);
  absl::StatusOr<RemoteRefs> RefsOf(const auth::Caller& caller, Connection& connection, const std::string& repository,
                                    absl::string_view purpose);
  absl::Time Now() const;
  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename Value>
  static const absl::Status& StatusOf(const absl::StatusOr<Value>& result) {
    return result.status();
  }

  Store& store_;
  SecretVault& vault_;
  TokenKeeper& tokens_;
  ProviderClient& provider_;
  const http::AddressPolicy& policy_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::token_registry
