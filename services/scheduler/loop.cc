// Implements loop.h.
#include "services/scheduler/loop.h"

#include <utility>

namespace davit::scheduler {

Loop::Loop(absl::Duration period, RandomSource& random, Work work)
    : period_(period), random_(random), work_(std::move(work)), thread_([this] { Run(); }) {}

Loop::~Loop() { Stop(); }

void Loop::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

void Loop::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  absl::MutexLock lock(&join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void Loop::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      woken_ = false;
    }
    if (work_() == Again::kNow) continue;
    const absl::Duration wait = period_ * (1 - 0.2 * random_.Fraction());
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](Loop* loop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop->mutex_) { return loop->woken_ || loop->stopping_; },
            this),
        wait);
  }
}

}  // namespace davit::scheduler
