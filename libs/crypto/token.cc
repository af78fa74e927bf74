// Implements token.h.
#include "libs/crypto/token.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace davit::crypto {

SecretString RandomToken(RandomSource& random, absl::string_view prefix) {
  std::string bytes(32, '\0');
  random.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  std::string encoded = absl::WebSafeBase64Escape(bytes);
  SecretString token(absl::StrCat(prefix, encoded));
  Wipe(bytes);
  Wipe(encoded);
  return token;
}

}  // namespace davit::crypto
