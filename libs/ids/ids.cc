// Implements ids.h.
#include "libs/ids/ids.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit {
namespace {

constexpr absl::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr size_t kEncodedLength = 26;

// 128 bits as 26 characters of five bits; the two bits that are too many are leading zeros.
std::string Encode(const std::array<uint8_t, 16>& uuid) {
  std::string text(kEncodedLength, '0');
  unsigned __int128 value = 0;
  for (const uint8_t byte : uuid) value = (value << 8) | byte;
  for (size_t i = kEncodedLength; i-- > 0;) {
    text[i] = kAlphabet[static_cast<size_t>(value & 31)];
    value >>= 5;
  }
  return text;
}

// Completes a UUID of which the last eight bytes are random.
std::string IdAt(absl::string_view prefix, absl::Time time, std::array<uint8_t, 16> uuid) {
  const int64_t nanos = absl::ToUnixNanos(time);
  const uint64_t millis = static_cast<uint64_t>(nanos / 1000000);
  const uint64_t fraction = static_cast<uint64_t>(nanos % 1000000) * 4096 / 1000000;
  for (int i = 0; i < 6; ++i) uuid[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  uuid[6] = static_cast<uint8_t>(0x70 | (fraction >> 8));
  uuid[7] = static_cast<uint8_t>(fraction);
  uuid[8] = static_cast<uint8_t>(0x80 | (uuid[8] & 0x3f));
  return absl::StrCat(prefix, "_", Encode(uuid));
}

}  // namespace

std::string NewId(absl::string_view prefix, Clock& clock, RandomSource& random) {
  std::array<uint8_t, 16> uuid{};
  random.Fill(absl::MakeSpan(uuid).subspan(8));
  return IdAt(prefix, clock.Now(), uuid);
}

std::string LeastId(absl::string_view prefix, absl::Time time) {
  return IdAt(prefix, std::max(time, absl::UnixEpoch()), {});
}

bool IsId(absl::string_view prefix, absl::string_view text) {
  if (text.size() != prefix.size() + 1 + kEncodedLength || !absl::StartsWith(text, prefix)) return false;
  text.remove_prefix(prefix.size());
  if (text[0] != '_') return false;
  text.remove_prefix(1);
  if (text[0] > '7') return false;
  return text.find_first_not_of(kAlphabet) == absl::string_view::npos;
}

}  // namespace davit
