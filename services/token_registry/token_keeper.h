// The tokens of connections: opens them, and refreshes those that OAuth gave before they end. Thread-safe; calls block
// on the store and on providers.
#pragma once

#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "services/token_registry/oauth_apps.h"
#include "services/token_registry/oauth_server.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

// Providers replace the refresh token with every refresh, and refuse the old one from then on. So one refreshes at a
// time: threads wait for each other here, replicas by a claim in the store that ends by itself when its holder dies.
// The new pair is stored in one step, in the old one's place, before anybody uses it; while it cannot be stored the
// storing is repeated. What cannot be helped is a process that dies between the provider's answer and the store: then
// the provider refuses the old refresh token, and the connection becomes INVALID until a person authorizes it anew.
class TokenKeeper {
 public:
  struct Options {
    // A token that ends sooner is refreshed before it is used, and one that ends before the other without anybody using
    // it.
    absl::Duration refresh_before_use = absl::Minutes(5);
    absl::Duration refresh_ahead = absl::Minutes(15);
    // How long a refresh may take before another replica tries: longer than all time-outs on its way.
    absl::Duration claim_for = absl::Seconds(60);
    // How often another replica's refresh is looked after.
    absl::Duration poll = absl::Milliseconds(100);
    // How often, and with which pause, storing a new pair is tried.
    int store_attempts = 30;
    absl::Duration store_pause = absl::Seconds(1);
  };

  // All but the logger must outlive the keeper.
  TokenKeeper(Store& store, SecretVault& vault, OAuthServer& server, const OAuthApps& apps, Clock& clock,
              RandomSource& random, Logger logger, Options options);

  // The connection's token, for `purpose` (and `build_id`, if for one), after that was written down. `connection` is
  // brought up to date when its token was refreshed. FAILED_PRECONDITION: it had to be refreshed, and the provider
  // refused. UNAVAILABLE: the provider cannot be asked, and the token has ended.
  absl::StatusOr<crypto::SecretString> Open(const auth::Caller& caller, Connection& connection,
                                            absl::string_view purpose, absl::string_view build_id = "");

  // Refreshes the tokens of all projects that end soon; what fails is logged and tried again by the next call.
  void RefreshAhead();

  // Where a connection's secrets belong.
  static SecretPlace TokenPlace(const Connection& connection);
  static SecretPlace RefreshTokenPlace(const Connection& connection);

  // Seals what an authorization gave for the connection.
  absl::StatusOr<ConnectionSecrets> SealTokens(const Connection& connection, const OAuthTokens& tokens);

  // When tokens that were given now end.
  absl::Time EndOf(const OAuthTokens& tokens);

 private:
  absl::Status Refresh(const auth::Caller& caller, Connection& connection, absl::Duration before);
  absl::Status RefreshAlone(const auth::Caller& caller, Connection& connection, absl::Duration before);
  absl::Status RefreshClaimed(const auth::Caller& caller, Connection& connection, const RefreshToken& present,
                              const std::string& claim);
  absl::Status StorePair(const Connection& connection, const RefreshToken& present, const OAuthTokens& tokens);

  Store& store_;
  SecretVault& vault_;
  OAuthServer& server_;
  const OAuthApps& apps_;
  Clock& clock_;
  RandomSource& random_;
  const Logger logger_;
  const Options options_;
  absl::Mutex mutex_;
  std::set<std::string> refreshing_ ABSL_GUARDED_BY(mutex_);  // Ids of connections.
};

}  // namespace davit::token_registry
