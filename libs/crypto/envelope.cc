// Implements envelope.h.
#include "libs/crypto/envelope.h"

#include <cstdint>

#include "libs/crypto/aead.h"
#include "libs/status/status_macros.h"

namespace davit::crypto {
namespace {

std::string RandomBytes(RandomSource& random, size_t count) {
  std::string bytes(count, '\0');
  random.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  return bytes;
}

}  // namespace

absl::StatusOr<SealedSecret> Seal(KeyWrapper& keys, RandomSource& random, const SecretString& plaintext,
                                  absl::string_view aad) {
  SealedSecret sealed;
  sealed.key_id = keys.primary_id();
  const SecretString data_key(RandomBytes(random, kKeyBytes));
  DAVIT_ASSIGN_OR_RETURN(sealed.wrapped_key, keys.Wrap(data_key, aad));
  sealed.nonce = RandomBytes(random, kNonceBytes);
  DAVIT_ASSIGN_OR_RETURN(sealed.ciphertext, AesGcmEncrypt(data_key.Reveal(), sealed.nonce, plaintext.Reveal(), aad));
  return sealed;
}

absl::StatusOr<SealedSecret> Rewrap(KeyWrapper& keys, const SealedSecret& sealed, absl::string_view aad) {
  DAVIT_ASSIGN_OR_RETURN(const SecretString data_key, keys.Unwrap(sealed.key_id, sealed.wrapped_key, aad));
  SealedSecret rewrapped = sealed;
  rewrapped.key_id = keys.primary_id();
  DAVIT_ASSIGN_OR_RETURN(rewrapped.wrapped_key, keys.Wrap(data_key, aad));
  return rewrapped;
}

absl::StatusOr<SecretString> Open(KeyWrapper& keys, const SealedSecret& sealed, absl::string_view aad) {
  DAVIT_ASSIGN_OR_RETURN(const SecretString data_key, keys.Unwrap(sealed.key_id, sealed.wrapped_key, aad));
  DAVIT_ASSIGN_OR_RETURN(std::string plaintext, AesGcmDecrypt(data_key.Reveal(), sealed.nonce, sealed.ciphertext, aad));
  return SecretString(std::move(plaintext));
}

}  // namespace davit::crypto
