// Implements object_id.h.
#include "libs/git/object_id.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace davit::git {

absl::StatusOr<ObjectId> ObjectId::FromHex(absl::string_view hex) {
  bool valid = hex.size() == 40;
  for (const char c : hex) valid = valid && absl::ascii_isxdigit(static_cast<unsigned char>(c));
  if (!valid) {
    return absl::InvalidArgumentError(absl::StrCat("not a full commit id: \"", absl::CHexEscape(hex.substr(0, 64)),
                                                   "\" is not 40 hexadecimal digits"));
  }
  const std::string raw = absl::HexStringToBytes(hex);
  ObjectId id;
  std::memcpy(id.bytes.data(), raw.data(), id.bytes.size());
  return id;
}

std::string ObjectId::Hex() const {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

uint64_t ObjectId::Prefix() const {
  uint64_t prefix = 0;
  for (int i = 0; i < 8; ++i) prefix = prefix << 8 | bytes[i];
  return prefix;
}

bool ObjectId::IsZero() const { return *this == ObjectId(); }

}  // namespace davit::git
