// Random bytes that are the same in every run of a test. Owns its counter; safe to use from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "libs/ids/random.h"

namespace davit {

// A RandomSource for tests: a reproducible stream (SplitMix64) that differs from call to call.
class FakeRandom : public RandomSource {
 public:
  explicit FakeRandom(uint64_t seed = 1) : state_(seed) {}

  void Fill(absl::Span<uint8_t> bytes) override {
    uint64_t word = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i % 8 == 0) word = Next();
      bytes[i] = static_cast<uint8_t>(word >> (8 * (i % 8)));
    }
  }

 private:
  uint64_t Next() {
    uint64_t z = state_.fetch_add(0x9e3779b97f4a7c15) + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::atomic<uint64_t> state_;
};

}  // namespace davit
