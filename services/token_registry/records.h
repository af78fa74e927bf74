// The token-registry's records, as its domain knows them. Plain values; no threads, no secrets but sealed ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/auth/permissions.h"
#include "libs/crypto/envelope.h"

namespace davit::token_registry {

// The kind of server behind a connection; the numbers are those of davit.registry.v1.Provider.
enum class Provider { kGitHub = 1, kGitLab = 2, kGenericGit = 3 };

// A source connection; its token is kept apart (Store).
struct Connection {
  // What is known of the token; the numbers are those of davit.registry.v1.Connection.State.
  enum class State { kActive = 1, kInvalid = 2, kExpiring = 3 };
  // Where the token comes from; the numbers are those of davit.registry.v1.Connection.CredentialKind.
  enum class CredentialKind { kAccessToken = 1, kOAuth = 2 };

  std::string id;
  std::string project;
  std::string display_name;
  Provider provider = Provider::kGenericGit;
  std::string base_url;  // Without a trailing slash.
  std::string username;
  std::string probe_repository;
  CredentialKind credential_kind = CredentialKind::kAccessToken;
  bool renews = false;  // Whether its token is refreshed before it ends.
  State state = State::kActive;
  std::string state_reason;
  std::string account;
  std::vector<std::string> scopes;
  std::vector<std::string> missing_scopes;                // `SCOPE: what needs it`.
  absl::Time verify_time = absl::InfinitePast();          // InfinitePast: never.
  absl::Time token_expire_time = absl::InfiniteFuture();  // InfiniteFuture: never, or the provider does not tell.
  absl::Time create_time;
  absl::Time update_time;
};

// A registry credential; its password is kept apart (Store).
struct RegistryCredential {
  std::string id;
  std::string project;
  std::string display_name;
  std::string registry;  // Host and optional port.
  std::string username;  // Empty: the registry is used without authentication.
  absl::Time create_time;
  absl::Time update_time;
};

// A webhook endpoint; its secret is kept apart (Store).
struct Webhook {
  std::string id;
  std::string project;
  std::string connection_id;
  std::string repository;  // Empty: any of the connection.
  Provider provider = Provider::kGenericGit;
  absl::Time create_time;
  bool managed = false;               // Installed at the provider by EnsureWebhook.
  std::string provider_hook_id = {};  // Of a managed one, once the provider has told it.
};

// An API token without its text.
struct ApiToken {
  std::string id;
  std::string project;  // "*": all.
  std::string display_name;
  auth::Role role = auth::Role::kViewer;
  absl::Time create_time;
  absl::Time expire_time = absl::InfiniteFuture();
  absl::Time revoke_time = absl::InfiniteFuture();  // InfiniteFuture: it was not revoked.
  absl::Time last_use_time = absl::InfinitePast();  // InfinitePast: never.

  // Whether it may be used at `now`.
  bool IsActive(absl::Time now) const { return now < expire_time && revoke_time == absl::InfiniteFuture(); }
};

// What one build may be issued credentials for.
struct BuildCredentialScope {
  std::string connection_id;  // Empty for a build of an upload.
  std::string repository;
  std::string registry_credential_id;  // Empty when the registry needs no authentication.
  std::string image_repository;
  std::vector<std::string> secrets;  // Names of the project's secrets.

  bool operator==(const BuildCredentialScope&) const = default;
};

// The grant of a build's largest fence.
struct BuildGrant {
  std::string build_id;
  std::string project;
  int64_t fence = 0;
  int64_t revoked_fence = 0;  // Everything up to this fence has ended.
  BuildCredentialScope scope;
  absl::Time expire_time;
};

// The secrets of a connection.
struct ConnectionSecrets {
  crypto::SealedSecret token;
  std::optional<crypto::SealedSecret> refresh_token = std::nullopt;  // nullopt: nothing renews the token.
};

// What renews a connection's token.
struct RefreshToken {
  crypto::SealedSecret sealed;
  int64_t version = 0;   // Grows with every pair of tokens that is stored.
  bool refused = false;  // The provider has ended the grant.
};

// What a refused refresh means: the grant is over for good, or the same refresh token may be accepted later.
enum class GrantEnd { kEnded, kMayRecover };

// An authorization that was begun; its PKCE verifier or device code is kept apart (Store).
struct OAuthAuthorization {
  enum class Flow { kBrowser, kDevice };

  std::string id;
  std::string project;
  std::string state_hash;  // SHA-256, 32 bytes.
  std::string token_id;    // The API token that began.
  Flow flow = Flow::kDevice;
  std::string connection_id;  // Empty: a new one is to be made.
  std::string display_name;
  Provider provider = Provider::kGitHub;
  std::string base_url;
  std::string redirect_uri;                             // Of kBrowser.
  absl::Duration poll_interval = absl::ZeroDuration();  // Of kDevice, as the next.
  absl::Time next_poll_time;
  absl::Time expire_time;
};

// The kinds of records that hold a secret.
enum class SecretKind { kConnection, kRegistryCredential, kWebhook, kRefreshToken, kAuthorization, kBuildSecret };

// A stored secret, and where it belongs.
struct StoredSecret {
  SecretKind kind = SecretKind::kConnection;
  std::string id;
  std::string project;
  std::string field;
  crypto::SealedSecret sealed;
};

// Tokens of connections whose end is near or has passed.
struct TokenEnds {
  int64_t ending = 0;
  int64_t ended = 0;
};

// One opening of a secret, for the audit log.
struct SecretAccess {
  absl::Time at;
  std::string project;
  std::string token_id;   // Who.
  std::string request;    // The call's request id.
  std::string record_id;  // Whose secret.
  std::string field;
  std::string purpose;   // "verify", "list refs", "build", "publish", "webhook".
  std::string build_id;  // Empty when it was for no build.
  int64_t number = 0;    // The store's, in the order of writing.
};

// Which accesses to list; empty fields restrict nothing.
struct SecretAccessFilter {
  std::string record_id;
  std::string build_id;
};

// One page of a listing: at most `size` records after `after` (the last key of the page before; empty = from the
// start).
struct Page {
  std::string after;
  int size = 50;
};

}  // namespace davit::token_registry
