// Who is signed in: sessions in memory, found by an opaque cookie. Owns them and the tokens in them. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/http/byte_pipe.h"
#include "libs/ids/random.h"

namespace davit::console {

// What a session is made of.
struct SignedIn {
  crypto::SecretString token;  // the person's API token, which every call for them carries
  std::string token_id;        // `tok_…`
  std::string project;         // the token's, or "*"
  std::string caller_json;     // the token's record, for the page
};

// One person's session. Immutable but for its open streams.
class Session {
 public:
  Session(SignedIn who, std::string csrf_token) : who_(std::move(who)), csrf_token_(std::move(csrf_token)) {}

  const SignedIn& who() const { return who_; }
  const std::string& csrf_token() const { return csrf_token_; }

  // Closes the stream when the session ends. RESOURCE_EXHAUSTED when too many are open.
  absl::Status Attach(const std::shared_ptr<http::BytePipe>& stream);

  // Ends the session's streams, and lets no more begin.
  void End();

 private:
  const SignedIn who_;
  const std::string csrf_token_;
  absl::Mutex mutex_;
  std::vector<std::weak_ptr<http::BytePipe>> streams_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

// Bounds of a SessionStore.
struct SessionLimits {
  absl::Duration lifetime = absl::Hours(12);
  absl::Duration idle = absl::Hours(2);  // without a request; streams do not count
  size_t max_sessions = 10000;           // beyond it the one that was used longest ago ends
  size_t max_per_token = 50;             // likewise among the sessions of one token
};

class SessionStore {
 public:
  // `clock` and `random` must outlive this.
  SessionStore(SessionLimits limits, Clock& clock, RandomSource& random);

  // Begins a session; `id` is for the cookie and is not kept, only its hash.
  struct Created {
    crypto::SecretString id;
    std::shared_ptr<Session> session;
  };
  Created Create(SignedIn who);

  // Whether finding a session counts as using it.
  enum class Use { kTouches, kDoesNotTouch };

  // The session of that id; null when there is none, or it has ended.
  std::shared_ptr<Session> Find(absl::string_view id, Use use);

  // Ends a session and its streams; an unknown id is nothing to do.
  void End(absl::string_view id);

  // Ends every session, for a drain.
  void EndAll();

  size_t size() const;

 private:
  struct Entry {
    std::shared_ptr<Session> session;
    absl::Duration created;    // Monotonic.
    absl::Duration last_used;  // Monotonic.
  };
  using Entries = absl::flat_hash_map<std::string, Entry>;

  bool Expired(const Entry& entry, absl::Duration now) const;
  // Takes out what has expired and what is over the bounds when one of `token_id` is added.
  std::vector<std::shared_ptr<Session>> MakeRoom(const std::string& token_id, absl::Duration now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SessionLimits limits_;
  Clock& clock_;
  RandomSource& random_;
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // By the SHA-256 of the id.
};

}  // namespace davit::console
