// Implements random.h.
#include "libs/ids/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace davit {

double RandomSource::Fraction() {
  uint64_t bits = 0;
  uint8_t bytes[sizeof(bits)];
  Fill(absl::MakeSpan(bytes));
  std::memcpy(&bits, bytes, sizeof(bits));
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

void SystemRandom::Fill(absl::Span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      std::perror("getrandom");
      std::abort();
    }
    bytes.remove_prefix(static_cast<size_t>(got));
  }
}

}  // namespace davit
