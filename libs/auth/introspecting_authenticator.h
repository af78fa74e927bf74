// Authenticates by asking the token-registry (IdentityService.IntrospectToken) and remembering the answer for a short
// time.
#pragma once

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/auth/authenticator.h"
#include "libs/clock/clock.h"

namespace grpc {
class Channel;
}

namespace davit::auth {

// Answers are kept by the SHA-256 of the token, never by its text. A revocation is noticed after at most
// `positive_ttl`. Thread-safe; a token that is not in the cache blocks its caller for one RPC.
class IntrospectingAuthenticator : public Authenticator {
 public:
  struct Options {
    absl::Duration positive_ttl = absl::Seconds(30);
    absl::Duration negative_ttl = absl::Seconds(5);
    size_t max_entries = 10000;
    // Longer than the token-registry waits for a database that is away (postgres::PoolOptions::outage_patience).
    absl::Duration call_timeout = absl::Seconds(8);
  };

  // `registry` is a channel to the token-registry that carries this service's own token; `clock` must outlive this.
  IntrospectingAuthenticator(std::shared_ptr<grpc::Channel> registry, Clock& clock, Options options);
  IntrospectingAuthenticator(std::shared_ptr<grpc::Channel> registry, Clock& clock);

  absl::StatusOr<Caller> Authenticate(absl::string_view token) override;

 private:
  struct Entry {
    absl::StatusOr<Caller> answer;
    absl::Duration expires;  // On the monotonic clock.
  };

  absl::StatusOr<Entry> Ask(absl::string_view token);
  void Remember(const std::string& key, const Entry& entry);

  const std::shared_ptr<grpc::Channel> registry_;
  Clock& clock_;
  const Options options_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::auth
