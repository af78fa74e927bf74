// A thread that does one piece of background work again and again. Owns the thread; Wake may be called from any thread.
#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/ids/random.h"

namespace davit::scheduler {

// Runs `work` at once, then after each period (shortened by a random part of up to a fifth, so that replicas spread),
// after each Wake, and again at once when `work` says that there is more.
class Loop {
 public:
  // What `work` found: nothing more to do now, or more to do at once.
  enum class Again { kLater, kNow };
  using Work = std::function<Again()>;

  // `random` must outlive the loop; `work` must not throw.
  Loop(absl::Duration period, RandomSource& random, Work work);

  // Stops.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Lets the work run soon.
  void Wake();

  // Lets the current round end and runs no other. Stopping again changes nothing.
  void Stop();

 private:
  void Run();

  const absl::Duration period_;
  RandomSource& random_;
  const Work work_;
  absl::Mutex mutex_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex join_mutex_;
  std::thread thread_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace davit::scheduler
