// Authenticates calls to the token-registry itself (and, in one process with it, to the other services) from its store.
// Thread-safe.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/auth/authenticator.h"
#include "libs/clock/clock.h"
#include "services/token_registry/api_token_directory.h"

namespace davit::token_registry {

// Remembers accepted tokens by their SHA-256 for `ttl`; a revocation through this process takes effect at once, one
// through another replica after `ttl`.
class StoreAuthenticator : public auth::Authenticator {
 public:
  struct Options {
    absl::Duration ttl = absl::Seconds(10);
    size_t max_entries = 10000;
  };

  // `tokens` and `clock` must outlive this.
  StoreAuthenticator(ApiTokenDirectory& tokens, Clock& clock, Options options)
      : tokens_(tokens), clock_(clock), options_(options) {}

  absl::StatusOr<auth::Caller> Authenticate(absl::string_view token) override;

  // Forgets the token with this id, because it was revoked.
  void Forget(const std::string& token_id);

 private:
  struct Entry {
    auth::Caller caller;
    absl::Duration until;  // On the monotonic clock.
    absl::Time token_expires;
  };

  ApiTokenDirectory& tokens_;
  Clock& clock_;
  const Options options_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  int64_t forgotten_ ABSL_GUARDED_BY(mutex_) = 0;  // Counts calls of Forget.
};

}  // namespace davit::token_registry
