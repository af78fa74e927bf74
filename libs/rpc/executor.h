// A bounded thread pool for work that blocks, so that the threads that move bytes (gRPC's, the HTTP server's) do not.
#pragma once

#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace davit::rpc {

// Runs tasks on a fixed number of threads, first come, first served. Thread-safe.
class Executor {
 public:
  using Task = absl::AnyInvocable<void()>;

  // `name` is for error messages. At most `queue_limit` tasks wait for one of `threads` threads.
  Executor(absl::string_view name, int threads, int queue_limit);

  // Runs what has been accepted, then ends the threads.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Queues `task`; it must not throw. RESOURCE_EXHAUSTED when the queue is full, UNAVAILABLE after Drain; the task is
  // then destroyed without having run.
  absl::Status Submit(Task task);

  // Accepts no more tasks, waits for those that were accepted, and ends the threads. Must not be called by a task.
  void Drain();

 private:
  void Work();

  const std::string name_;
  const size_t queue_limit_;
  absl::Mutex mutex_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex join_mutex_;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace davit::rpc
