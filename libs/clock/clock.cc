// Implements clock.h.
#include "libs/clock/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace davit {

absl::Time RealClock::Now() { return absl::Now(); }

absl::Duration RealClock::Monotonic() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

void RealClock::SleepFor(absl::Duration duration) {
  if (duration > absl::ZeroDuration()) absl::SleepFor(duration);
}

}  // namespace davit
