// Envelope encryption: every record has a data key of its own, which a KeyWrapper's key wraps. Any thread; blocks where
// the wrapper does.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/key_wrapper.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"

namespace davit::crypto {

// A secret as it is stored. Nothing in it is secret as long as the key is.
struct SealedSecret {
  std::string key_id;       // Of the key that wrapped the data key.
  std::string wrapped_key;  // As the KeyWrapper made it.
  std::string nonce;        // 12 bytes.
  std::string ciphertext;   // AES-256-GCM under the data key, with the tag at its end.
};

// Seals `plaintext` under a fresh data key, wrapped by the primary key. `aad` says where the secret belongs
// (project, record, field); it is not stored, and both layers are bound to it.
absl::StatusOr<SealedSecret> Seal(KeyWrapper& keys, RandomSource& random, const SecretString& plaintext,
                                  absl::string_view aad);

// Wraps the data key of a sealed secret with the primary key instead; what is sealed is not touched. Errors as
// Open.
absl::StatusOr<SealedSecret> Rewrap(KeyWrapper& keys, const SealedSecret& sealed, absl::string_view aad);

// The reverse of Seal, with the same `aad`. FAILED_PRECONDITION when the key `key_id` is not there; DATA_LOSS when any
// part was changed or belongs elsewhere; UNAVAILABLE when the wrapper cannot be asked.
absl::StatusOr<SecretString> Open(KeyWrapper& keys, const SealedSecret& sealed, absl::string_view aad);

}  // namespace davit::crypto
