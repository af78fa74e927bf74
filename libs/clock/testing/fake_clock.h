// A clock that moves only when a test says so. Owns its time; safe to use from any thread.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"

namespace davit {

// A Clock for tests. Now() and Monotonic() move together.
class FakeClock : public Clock {
 public:
  // What SleepFor does: move the clock itself and return (for code that retries on the test's own thread), or block
  // until another thread has advanced the clock far enough (for background loops).
  enum class Sleep { kAdvances, kBlocks };

  // Starts at `start`, by default 2026-01-01T00:00:00Z.
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1767225600), Sleep sleep = Sleep::kAdvances);

  absl::Time Now() override;
  absl::Duration Monotonic() override;
  void SleepFor(absl::Duration duration) override;

  // Moves the clock forward and wakes the sleepers whose time has come.
  void Advance(absl::Duration duration);

  // Blocks the test until `count` threads are inside SleepFor of a kBlocks clock.
  void AwaitSleepers(int count);

  // The sum of all durations given to SleepFor.
  absl::Duration slept();

 private:
  const absl::Time start_;
  const Sleep sleep_;
  absl::Mutex mutex_;
  absl::Duration elapsed_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
  absl::Duration slept_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
  int sleepers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace davit
