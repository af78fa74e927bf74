// Implements fake_clock.h.
#include "libs/clock/testing/fake_clock.h"

namespace davit {

FakeClock::FakeClock(absl::Time start, Sleep sleep) : start_(start), sleep_(sleep) {}

absl::Time FakeClock::Now() {
  absl::MutexLock lock(&mutex_);
  return start_ + elapsed_;
}

absl::Duration FakeClock::Monotonic() {
  absl::MutexLock lock(&mutex_);
  return elapsed_;
}

void FakeClock::SleepFor(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return;
  absl::MutexLock lock(&mutex_);
  slept_ += duration;
  if (sleep_ == Sleep::kAdvances) {
    elapsed_ += duration;
    return;
  }
  const absl::Duration until = elapsed_ + duration;
  ++sleepers_;
  const auto due = [this, until]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return elapsed_ >= until; };
  mutex_.Await(absl::Condition(&due));
  --sleepers_;
}

void FakeClock::Advance(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  elapsed_ += duration;
}

void FakeClock::AwaitSleepers(int count) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return sleepers_ >= count; };
  mutex_.Await(absl::Condition(&reached));
}

absl::Duration FakeClock::slept() {
  absl::MutexLock lock(&mutex_);
  return slept_;
}

}  // namespace davit
