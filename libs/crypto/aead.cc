// Implements aead.h.
#include "libs/crypto/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "libs/crypto/secret.h"

namespace davit::crypto {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Bytes(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

bool HaveRightSizes(absl::string_view key, absl::string_view nonce) {
  return key.size() == kKeyBytes && nonce.size() == kNonceBytes;
}

}  // namespace

absl::StatusOr<std::string> AesGcmEncrypt(absl::string_view key, absl::string_view nonce, absl::string_view plaintext,
                                          absl::string_view aad) {
  if (!HaveRightSizes(key, nonce)) return absl::InternalError("AES-256-GCM takes a key of 32 and a nonce of 12 bytes");
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::string out(plaintext.size() + kTagBytes, '\0');
  int length = 0;
  int rest = 0;
  if (context == nullptr ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(nonce)) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &length, Bytes(aad), static_cast<int>(aad.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), Bytes(out), &length, Bytes(plaintext), static_cast<int>(plaintext.size())) !=
          1 ||
      EVP_EncryptFinal_ex(context.get(), Bytes(out) + length, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, Bytes(out) + plaintext.size()) != 1) {
    return absl::InternalError("AES-256-GCM failed");
  }
  return out;
}

absl::StatusOr<std::string> AesGcmDecrypt(absl::string_view key, absl::string_view nonce, absl::string_view ciphertext,
                                          absl::string_view aad) {
  const absl::Status damaged = absl::DataLossError("sealed value is damaged or does not belong here");
  if (!HaveRightSizes(key, nonce) || ciphertext.size() < kTagBytes) return damaged;
  const absl::string_view body = ciphertext.substr(0, ciphertext.size() - kTagBytes);
  std::string tag(ciphertext.substr(body.size()));
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::string out(body.size(), '\0');
  int length = 0;
  int rest = 0;
  if (context == nullptr ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(nonce)) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &length, Bytes(aad), static_cast<int>(aad.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), Bytes(out), &length, Bytes(body), static_cast<int>(body.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, Bytes(tag)) != 1 ||
      EVP_DecryptFinal_ex(context.get(), Bytes(out) + length, &rest) != 1) {
    Wipe(out);  // Not authenticated: nobody may see it.
    return damaged;
  }
  return out;
}

}  // namespace davit::crypto
