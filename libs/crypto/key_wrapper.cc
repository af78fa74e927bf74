// Implements key_wrapper.h.
#include "libs/crypto/key_wrapper.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "libs/crypto/aead.h"
#include "libs/status/status_macros.h"

namespace davit::crypto {
namespace {

constexpr char kFormat = 1;

// What the wrapping of a data key is bound to: its purpose, the key's id, and where the secret belongs.
std::string WrappingAad(absl::string_view key_id, absl::string_view aad) {
  return absl::StrCat("davit data key|", key_id, "|", aad);
}

}  // namespace

absl::StatusOr<std::string> RingKeyWrapper::Wrap(const SecretString& data_key, absl::string_view aad) {
  std::string nonce(kNonceBytes, '\0');
  random_.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(nonce.data()), nonce.size()));
  DAVIT_ASSIGN_OR_RETURN(const std::string wrapped,
                         AesGcmEncrypt(keys_.Find(keys_.primary_id())->Reveal(), nonce, data_key.Reveal(),
                                       WrappingAad(keys_.primary_id(), aad)));
  return absl::StrCat(std::string(1, kFormat), nonce, wrapped);
}

absl::StatusOr<SecretString> RingKeyWrapper::Unwrap(absl::string_view key_id, absl::string_view wrapped,
                                                    absl::string_view aad) {
  const SecretString* const key = keys_.Find(key_id);
  if (key == nullptr) {
    return absl::FailedPreconditionError("sealed with a key that the key file does not hold; put the old key back");
  }
  if (wrapped.size() != 1 + kNonceBytes + kKeyBytes + kTagBytes || wrapped[0] != kFormat) {
    return absl::DataLossError("sealed value is damaged or does not belong here");
  }
  DAVIT_ASSIGN_OR_RETURN(std::string data_key,
                         AesGcmDecrypt(key->Reveal(), wrapped.substr(1, kNonceBytes), wrapped.substr(1 + kNonceBytes),
                                       WrappingAad(key_id, aad)));
  return SecretString(std::move(data_key));
}

}  // namespace davit::crypto
