// Implements hash.h.
#include "libs/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

#include "absl/strings/escaping.h"

namespace davit::crypto {
namespace {

constexpr size_t kDigestBytes = 32;

const unsigned char* Bytes(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string Sha256(absl::string_view data) {
  std::string digest(kDigestBytes, '\0');
  // Fails only without memory; a wrong hash must not be returned.
  if (EVP_Digest(data.data(), data.size(), Bytes(digest), nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return digest;
}

std::string Sha256Hex(absl::string_view data) { return absl::BytesToHexString(Sha256(data)); }

std::string HmacSha256(absl::string_view key, absl::string_view data) {
  std::string code(kDigestBytes, '\0');
  // OpenSSL takes a null key for "no key set".
  const void* const key_bytes = key.empty() ? "" : key.data();
  if (HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()), Bytes(data), data.size(), Bytes(code), nullptr) ==
      nullptr) {
    std::abort();
  }
  return code;
}

bool ConstantTimeEquals(absl::string_view left, absl::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace davit::crypto
