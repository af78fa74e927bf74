// Hashes, message authentication codes and comparison without timing differences. Pure functions; any thread.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace davit::crypto {

// SHA-256 of `data` as 32 bytes.
std::string Sha256(absl::string_view data);

// SHA-256 of `data` as 64 lower-case hexadecimal digits.
std::string Sha256Hex(absl::string_view data);

// HMAC-SHA-256 (RFC 2104) of `data` under `key`, as 32 bytes.
std::string HmacSha256(absl::string_view key, absl::string_view data);

// Whether two texts are equal, in a time that depends on their lengths only.
bool ConstantTimeEquals(absl::string_view left, absl::string_view right);

}  // namespace davit::crypto
