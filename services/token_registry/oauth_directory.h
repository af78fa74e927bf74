// Authorizations of connections by people: begun here, decided at the provider, finished here. Thread-safe; calls block
// on the store and on providers.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/http/address_policy.h"
#include "libs/ids/random.h"
#include "services/token_registry/connection_directory.h"
#include "services/token_registry/oauth_apps.h"
#include "services/token_registry/oauth_server.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/store.h"
#include "services/token_registry/token_keeper.h"

namespace davit::token_registry {

// What to authorize.
struct OAuthWish {
  std::string project;
  std::string connection_id;  // Empty: a new one.
  std::string display_name;   // Of a new one, as the next two.
  Provider provider = Provider::kGitHub;
  std::string base_url;
  OAuthAuthorization::Flow flow = OAuthAuthorization::Flow::kDevice;
  std::string redirect_uri;
};

// What a person does next.
struct OAuthBeginning {
  std::string state;
  std::string authorize_url;
  std::string user_code;
  absl::Duration poll_interval = absl::ZeroDuration();
  absl::Time expire_time;
};

// Either the connection, or how long to wait.
struct OAuthEnd {
  std::optional<Connection> connection;
  absl::Duration retry_after = absl::ZeroDuration();
};

// Only a hash of the state is stored, and the PKCE verifier or device code sealed; an authorization is finished by the
// API token that began it, once. Errors are those that proto/davit/registry/v1/token_registry.proto names.
class OAuthDirectory {
 public:
  // All parameters must outlive the directory.
  OAuthDirectory(Store& store, SecretVault& vault, OAuthServer& server, const OAuthApps& apps,
                 ConnectionDirectory& connections, const http::AddressPolicy& policy, Clock& clock,
                 RandomSource& random)
      : store_(store),
        vault_(vault),
        server_(server),
        apps_(apps),
        connections_(connections),
        policy_(policy),
        clock_(clock),
        random_(random) {}

  // Begins an authorization.
  absl::StatusOr<OAuthBeginning> Begin(const auth::Caller& caller, OAuthWish wish);

  // Finishes one with the code that came back, or asks the provider whether the person has authorized.
  absl::StatusOr<OAuthEnd> Finish(const auth::Caller& caller, const std::string& project, const std::string& state,
                                  const crypto::SecretString& code);

 private:
  absl::StatusOr<const OAuthApp*> AppOf(Provider provider, const std::string& base_url) const;
  absl::Status Complete(OAuthWish& wish);
  absl::StatusOr<std::optional<OAuthTokens>> TokensOf(const auth::Caller& caller,
                                                      const OAuthAuthorization& authorization,
                                                      const crypto::SealedSecret& sealed,
                                                      const crypto::SecretString& code, absl::Duration* retry_after);
  absl::StatusOr<std::optional<OAuthTokens>> Poll(const OAuthApp& app, const OAuthAuthorization& authorization,
                                                  const crypto::SecretString& device_code, absl::Duration* retry_after);
  absl::Time Now() const;

  Store& store_;
  SecretVault& vault_;
  OAuthServer& server_;
  const OAuthApps& apps_;
  ConnectionDirectory& connections_;
  const http::AddressPolicy& policy_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::token_registry
