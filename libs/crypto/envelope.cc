// Implements envelope.h.
#include "libs/crypto/envelope.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "libs/crypto/aead.h"
#include "libs/status/status_macros.h"

namespace davit::crypto {
namespace {

constexpr char kFormat = 1;

std::string RandomBytes(RandomSource& random, size_t count) {
  std::string bytes(count, '\0');
  random.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  return bytes;
}

// What the wrapping of a data key is bound to: its purpose, the key's id, and where the secret belongs.
std::string WrappingAad(absl::string_view key_id, absl::string_view aad) {
  return absl::StrCat("davit data key|", key_id, "|", aad);
}

// Wraps a data key with the ring's primary key.
absl::StatusOr<std::string> Wrap(const KeyRing& keys, RandomSource& random, const SecretString& data_key,
                                 absl::string_view aad) {
  const std::string nonce = RandomBytes(random, kNonceBytes);
  DAVIT_ASSIGN_OR_RETURN(const std::string wrapped,
                         AesGcmEncrypt(keys.Find(keys.primary_id())->Reveal(), nonce, data_key.Reveal(),
                                       WrappingAad(keys.primary_id(), aad)));
  return absl::StrCat(std::string(1, kFormat), nonce, wrapped);
}

// The data key of a sealed secret. Errors as Open.
absl::StatusOr<SecretString> Unwrap(const KeyRing& keys, const SealedSecret& sealed, absl::string_view aad) {
  const SecretString* const key = keys.Find(sealed.key_id);
  if (key == nullptr) {
    return absl::FailedPreconditionError("sealed with a key that the key file does not hold; put the old key back");
  }
  const absl::string_view wrapped = sealed.wrapped_key;
  if (wrapped.size() != 1 + kNonceBytes + kKeyBytes + kTagBytes || wrapped[0] != kFormat) {
    return absl::DataLossError("sealed value is damaged or does not belong here");
  }
  DAVIT_ASSIGN_OR_RETURN(std::string data_key,
                         AesGcmDecrypt(key->Reveal(), wrapped.substr(1, kNonceBytes), wrapped.substr(1 + kNonceBytes),
                                       WrappingAad(sealed.key_id, aad)));
  return SecretString(std::move(data_key));
}

}  // namespace

absl::StatusOr<SealedSecret> Seal(const KeyRing& keys, RandomSource& random, const SecretString& plaintext,
                                  absl::string_view aad) {
  SealedSecret sealed;
  sealed.key_id = keys.primary_id();
  const SecretString data_key(RandomBytes(random, kKeyBytes));
  DAVIT_ASSIGN_OR_RETURN(sealed.wrapped_key, Wrap(keys, random, data_key, aad));
  sealed.nonce = RandomBytes(random, kNonceBytes);
  DAVIT_ASSIGN_OR_RETURN(sealed.ciphertext, AesGcmEncrypt(data_key.Reveal(), sealed.nonce, plaintext.Reveal(), aad));
  return sealed;
}

absl::StatusOr<SealedSecret> Rewrap(const KeyRing& keys, RandomSource& random, const SealedSecret& sealed,
                                    absl::string_view aad) {
  DAVIT_ASSIGN_OR_RETURN(const SecretString data_key, Unwrap(keys, sealed, aad));
  SealedSecret rewrapped = sealed;
  rewrapped.key_id = keys.primary_id();
  DAVIT_ASSIGN_OR_RETURN(rewrapped.wrapped_key, Wrap(keys, random, data_key, aad));
  return rewrapped;
}

absl::StatusOr<SecretString> Open(const KeyRing& keys, const SealedSecret& sealed, absl::string_view aad) {
  DAVIT_ASSIGN_OR_RETURN(const SecretString data_key, Unwrap(keys, sealed, aad));
  DAVIT_ASSIGN_OR_RETURN(std::string plaintext, AesGcmDecrypt(data_key.Reveal(), sealed.nonce, sealed.ciphertext, aad));
  return SecretString(std::move(plaintext));
}

}  // namespace davit::crypto
