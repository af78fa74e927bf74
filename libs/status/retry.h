// The one table of which errors may be retried, and how long to wait between attempts. Owns nothing shared.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/ids/random.h"

namespace davit {

// Whether the same idempotent call may succeed when it is made again: UNAVAILABLE, ABORTED, RESOURCE_EXHAUSTED and
// DEADLINE_EXCEEDED. Everything else is final for the caller.
bool IsRetryable(absl::StatusCode code);

// Exponential waiting times with jitter. Not thread-safe: one per loop.
class Backoff {
 public:
  // Waits start at `initial`, grow by `factor` (at least 1) up to `max`, and each is shortened by a random part of at
  // most `jitter` (0 to 1) of itself. `random` must outlive this.
  Backoff(absl::Duration initial, absl::Duration max, double factor, double jitter, RandomSource& random);

  // The time to wait before the next attempt.
  absl::Duration Next();

  // Starts over at `initial`; call it after a success.
  void Reset();

 private:
  const absl::Duration initial_;
  const absl::Duration max_;
  const double factor_;
  const double jitter_;
  RandomSource& random_;
  absl::Duration current_;
};

}  // namespace davit
