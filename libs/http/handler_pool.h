// A bounded pool of threads that run a server's handlers. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace davit::http {

// Runs tasks on `threads` threads; at most `max_waiting` more wait.
class HandlerPool {
 public:
  HandlerPool(int threads, int max_waiting);

  // Stops.
  ~HandlerPool();

  // Takes a task, or returns false (without running it) when the queue is full or the pool has stopped.
  bool TryRun(std::function<void()> task);

  // Runs what was taken, then ends the threads. A second call returns at once.
  void Stop();

 private:
  void Work();

  const size_t threads_wanted_;
  const size_t max_waiting_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace davit::http
