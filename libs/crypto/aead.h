// AES-256-GCM, the only cipher in use. Pure functions; any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::crypto {

inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kNonceBytes = 12;
inline constexpr size_t kTagBytes = 16;

// Encrypts `plaintext` and authenticates it together with `aad`. Returns the ciphertext followed by the 16-byte tag. A
// nonce must never be used twice with one key. INTERNAL when key or nonce have the wrong length.
absl::StatusOr<std::string> AesGcmEncrypt(absl::string_view key, absl::string_view nonce, absl::string_view plaintext,
                                          absl::string_view aad);

// The reverse. DATA_LOSS (without any detail) unless key, nonce, ciphertext, tag and `aad` are those of the encryption.
absl::StatusOr<std::string> AesGcmDecrypt(absl::string_view key, absl::string_view nonce, absl::string_view ciphertext,
                                          absl::string_view aad);

}  // namespace davit::crypto
