// Implements retry.h.
#include "libs/status/retry.h"

#include <algorithm>

namespace davit {

bool IsRetryable(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

Backoff::Backoff(absl::Duration initial, absl::Duration max, double factor, double jitter, RandomSource& random)
    : initial_(std::min(initial, max)),
      max_(max),
      factor_(std::max(1.0, factor)),
      jitter_(std::clamp(jitter, 0.0, 1.0)),
      random_(random),
      current_(initial_) {}

absl::Duration Backoff::Next() {
  const absl::Duration wait = current_ * (1.0 - jitter_ * random_.Fraction());
  current_ = std::min(max_, current_ * factor_);
  return wait;
}

void Backoff::Reset() { current_ = initial_; }

}  // namespace davit
