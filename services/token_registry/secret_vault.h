// The one place where stored secrets are sealed and opened. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/envelope.h"
#include "libs/crypto/key_wrapper.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

// Which secret: a field of a record of a project. Sealing binds the secret to it.
struct SecretPlace {
  std::string project;
  std::string record_id;
  std::string field;  // "token", "password", "secret".
};

// How far a rotation of keys is.
struct KeyRotation {
  std::string key_id;     // The key that seals now.
  int rewrapped = 0;      // Secrets that this batch re-wrapped.
  int64_t remaining = 0;  // Secrets that other keys still wrap.
};

// Seals secrets for the store, and opens them only after writing down who opens which one for what.
class SecretVault {
 public:
  // All parameters but the keys must outlive the vault.
  SecretVault(std::unique_ptr<crypto::KeyWrapper> keys, Store& store, Clock& clock, RandomSource& random)
      : keys_(std::move(keys)), store_(store), clock_(clock), random_(random) {}

  absl::StatusOr<crypto::SealedSecret> Seal(const SecretPlace& place, const crypto::SecretString& secret);

  // Opens a secret for `purpose` (and `build_id`, if for one). Nothing is opened when the access cannot be recorded.
  // INTERNAL when the key is missing or the stored value is damaged: the caller can do nothing about it. UNAVAILABLE
  // when the keys cannot be asked for now.
  absl::StatusOr<crypto::SecretString> Open(const SecretPlace& place, const crypto::SealedSecret& sealed,
                                            const auth::Caller& caller, absl::string_view purpose,
                                            absl::string_view build_id = "");

  // Wraps the data keys of up to `limit` secrets with the first key. Secrets stay readable throughout, by those too who
  // read a secret while it changes. FAILED_PRECONDITION when the key file lacks the key of one.
  absl::StatusOr<KeyRotation> RotateBatch(int limit);

 private:
  const std::unique_ptr<crypto::KeyWrapper> keys_;
  Store& store_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::token_registry
