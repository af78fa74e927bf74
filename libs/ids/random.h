// The source of random bytes that everything else is given by constructor. Owns nothing.
#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace davit {

// Gives random bytes. Implementations are safe to use from any thread.
class RandomSource {
 public:
  virtual ~RandomSource() = default;

  // Fills `bytes` completely.
  virtual void Fill(absl::Span<uint8_t> bytes) = 0;

  // A uniformly distributed number in [0, 1), for jitter.
  double Fraction();
};

// The kernel's generator (getrandom), fit for keys and tokens. Ends the process if the kernel cannot give bytes,
// because nothing that needs them could go on safely.
class SystemRandom : public RandomSource {
 public:
  void Fill(absl::Span<uint8_t> bytes) override;
};

}  // namespace davit
