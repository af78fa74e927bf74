// The source of time that everything else is given by constructor, so that tests need no sleeps. Owns nothing.
#pragma once

#include "absl/time/time.h"

namespace davit {

// Tells the time and waits. Implementations are safe to use from any thread and must outlive what they are given to.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock: for what is stored and shown. It may jump.
  virtual absl::Time Now() = 0;

  // Time since an arbitrary start that never goes backwards: for timeouts, leases and durations. Only differences mean
  // something, and only inside one process.
  virtual absl::Duration Monotonic() = 0;

  // Blocks the calling thread for `duration`; returns at once when it is zero or negative.
  virtual void SleepFor(absl::Duration duration) = 0;
};

// The machine's clocks (CLOCK_REALTIME and CLOCK_MONOTONIC).
class RealClock : public Clock {
 public:
  absl::Time Now() override;
  absl::Duration Monotonic() override;
  void SleepFor(absl::Duration duration) override;
};

}  // namespace davit
