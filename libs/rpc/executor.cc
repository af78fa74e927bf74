// Implements executor.h.
#include "libs/rpc/executor.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace davit::rpc {

Executor::Executor(absl::string_view name, int threads, int queue_limit)
    : name_(name), queue_limit_(static_cast<size_t>(queue_limit)) {
  absl::MutexLock lock(&join_mutex_);
  threads_.reserve(threads);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

Executor::~Executor() { Drain(); }

absl::Status Executor::Submit(Task task) {
  absl::MutexLock lock(&mutex_);
  if (draining_) return absl::UnavailableError(absl::StrCat(name_, " is shutting down"));
  if (queue_.size() >= queue_limit_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(name_, " is busy: ", queue_limit_, " tasks are waiting; try again"));
  }
  queue_.push_back(std::move(task));
  return absl::OkStatus();
}

void Executor::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
  }
  absl::MutexLock lock(&join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Executor::Work() {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return draining_ || !queue_.empty(); };
  while (true) {
    Task task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&ready));
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    std::move(task)();
  }
}

}  // namespace davit::rpc
