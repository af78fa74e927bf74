// Implements handler_pool.h.
#include "libs/http/handler_pool.h"

#include <algorithm>
#include <utility>

namespace davit::http {

HandlerPool::HandlerPool(int threads, int max_waiting)
    : threads_wanted_(static_cast<size_t>(std::max(threads, 1))),
      max_waiting_(static_cast<size_t>(std::max(max_waiting, 0))) {
  for (size_t i = 0; i < threads_wanted_; ++i) threads_.emplace_back([this] { Work(); });
}

HandlerPool::~HandlerPool() { Stop(); }

bool HandlerPool::TryRun(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  if (stopping_ || tasks_.size() + running_ >= threads_wanted_ + max_waiting_) return false;
  tasks_.push_back(std::move(task));
  return true;
}

void HandlerPool::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void HandlerPool::Work() {
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](HandlerPool* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->stopping_ || !self->tasks_.empty(); },
          this));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      ++running_;
    }
    task();
    absl::MutexLock lock(&mutex_);
    --running_;
  }
}

}  // namespace davit::http
