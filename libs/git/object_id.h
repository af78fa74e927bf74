// A git object's name (SHA-1). Value type; usable from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::git {

// The 20 bytes that name a commit, tree, blob or tag. Default-constructed it is the all-zero id, which names nothing.
struct ObjectId {
  std::array<uint8_t, 20> bytes{};

  // Parses exactly 40 hexadecimal digits of either case. INVALID_ARGUMENT: `not a full commit id: …`.
  static absl::StatusOr<ObjectId> FromHex(absl::string_view hex);

  // 40 lower-case hexadecimal digits.
  std::string Hex() const;

  // The first eight bytes, big-endian: a short fingerprint of the content, uniformly distributed.
  uint64_t Prefix() const;

  bool IsZero() const;

  friend bool operator==(const ObjectId& a, const ObjectId& b) { return a.bytes == b.bytes; }
  friend bool operator!=(const ObjectId& a, const ObjectId& b) { return a.bytes != b.bytes; }
  friend bool operator<(const ObjectId& a, const ObjectId& b) { return a.bytes < b.bytes; }

  // For absl's hash containers. An id is a hash already, so a part of it is enough.
  template <typename H>
  friend H AbslHashValue(H state, const ObjectId& id) {
    uint64_t word;
    std::memcpy(&word, id.bytes.data(), sizeof(word));
    return H::combine(std::move(state), word);
  }
};

}  // namespace davit::git
