// What protects data keys: the seam at which a key management service can take the key ring's place. Implementations
// are thread-safe and may block.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/key_ring.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"

namespace davit::crypto {

// Wraps data keys with keys of its own. Errors of both calls: FAILED_PRECONDITION, the key is not there (any more);
// DATA_LOSS, what is to be unwrapped was changed or belongs elsewhere; UNAVAILABLE, a service cannot be asked now.
class KeyWrapper {
 public:
  virtual ~KeyWrapper() = default;

  // The id of the key that wraps now, 1 to 64 characters; it is stored with what it wrapped, and tells what a rotation
  // has yet to re-wrap.
  virtual std::string primary_id() const = 0;

  // Wraps a data key of 32 bytes with the primary key. Both directions are bound to `aad`.
  virtual absl::StatusOr<std::string> Wrap(const SecretString& data_key, absl::string_view aad) = 0;

  // The data key that the key `key_id` wrapped.
  virtual absl::StatusOr<SecretString> Unwrap(absl::string_view key_id, absl::string_view wrapped,
                                              absl::string_view aad) = 0;
};

// Wraps with the keys of a ring, by AES-256-GCM in this process: format version (1), nonce, ciphertext, tag, 61 bytes.
class RingKeyWrapper : public KeyWrapper {
 public:
  // `random` must outlive this.
  RingKeyWrapper(KeyRing keys, RandomSource& random) : keys_(std::move(keys)), random_(random) {}

  std::string primary_id() const override { return keys_.primary_id(); }
  absl::StatusOr<std::string> Wrap(const SecretString& data_key, absl::string_view aad) override;
  absl::StatusOr<SecretString> Unwrap(absl::string_view key_id, absl::string_view wrapped,
                                      absl::string_view aad) override;

 private:
  const KeyRing keys_;
  RandomSource& random_;
};

}  // namespace davit::crypto
