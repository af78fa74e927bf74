// Implements hash.h.
#include "libs/crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/escaping.h"

namespace davit::crypto {
namespace {

constexpr size_t kDigestBytes = 32;

const unsigned char* Bytes(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

struct FreeMac {
  void operator()(EVP_MAC_CTX* mac) const { EVP_MAC_CTX_free(mac); }
};
using Mac = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

// OpenSSL looks an algorithm up by its name for every use, unless it is given one that was found before. Both are kept
// for good, since threads may hash until the process ends.
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

// HMAC-SHA-256 without a key.
Mac MakeHmacSha256() {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  Mac mac(EVP_MAC_CTX_new(hmac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  if (mac == nullptr || EVP_MAC_CTX_set_params(mac.get(), parameters) != 1) std::abort();
  return mac;
}

// A copy for one code, so that no key stays behind.
Mac NewHmacSha256() {
  static const EVP_MAC_CTX* const keyless = MakeHmacSha256().release();
  return Mac(EVP_MAC_CTX_dup(keyless));
}

}  // namespace

std::string Sha256(absl::string_view data) {
  std::string digest(kDigestBytes, '\0');
  // Fails only without memory; a wrong hash must not be returned.
  if (EVP_Digest(data.data(), data.size(), Bytes(digest), nullptr, Sha256Algorithm(), nullptr) != 1) std::abort();
  return digest;
}

std::string Sha256Hex(absl::string_view data) { return absl::BytesToHexString(Sha256(data)); }

std::string HmacSha256(absl::string_view key, absl::string_view data) {
  std::string code(kDigestBytes, '\0');
  const Mac mac = NewHmacSha256();
  // OpenSSL takes a null key for "no key set".
  const unsigned char* const key_bytes = key.empty() ? Bytes("") : Bytes(key);
  size_t written = 0;
  if (mac == nullptr || EVP_MAC_init(mac.get(), key_bytes, key.size(), nullptr) != 1 ||
      EVP_MAC_update(mac.get(), Bytes(data), data.size()) != 1 ||
      EVP_MAC_final(mac.get(), Bytes(code), &written, code.size()) != 1 || written != code.size()) {
    std::abort();
  }
  return code;
}

bool ConstantTimeEquals(absl::string_view left, absl::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace davit::crypto
