// The loop's thread: step, then wait.
#include "services/rule_engine/worker_loop.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/status/retry.h"

namespace davit::rule_engine {
namespace {

constexpr absl::Duration kFirstBackoff = absl::Milliseconds(100);

}  // namespace

WorkerLoop::WorkerLoop(Options options, std::function<absl::StatusOr<Found>()> step, RandomSource& random,
                       Logger logger)
    : options_(std::move(options)), step_(std::move(step)), random_(random), logger_(std::move(logger)) {}

WorkerLoop::~WorkerLoop() { Stop(); }

void WorkerLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WorkerLoop::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

void WorkerLoop::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void WorkerLoop::Run() {
  Backoff backoff(kFirstBackoff, options_.max_backoff, 2, 0.5, random_);
  absl::Duration wait = absl::ZeroDuration();
  absl::Time next = absl::InfinitePast();
  while (WaitForWork(wait) && Rest(next - absl::Now())) {
    next = absl::Now() + options_.gap;
    const absl::StatusOr<Found> found = step_();
    if (!found.ok()) {
      logger_.Warning(absl::StrCat(options_.name, " failed, will try again"), {{"error", found.status()}});
      wait = backoff.Next();
      continue;
    }
    backoff.Reset();
    wait = *found == Found::kWork ? absl::ZeroDuration() : options_.poll * (1 - random_.Fraction() / 2);
  }
}

bool WorkerLoop::WaitForWork(absl::Duration timeout) {
  const auto due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return woken_ || stopping_; };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&due), timeout);
  woken_ = false;
  return !stopping_;
}

bool WorkerLoop::Rest(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), std::clamp(timeout, absl::ZeroDuration(), options_.gap));
  return !stopping_;
}

}  // namespace davit::rule_engine
