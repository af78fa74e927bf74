// A background thread that does one kind of work whenever there is some. Owns its thread.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"

namespace davit::rule_engine {

// Calls `step` again and again: at once while it finds work, else when it is woken or when a poll is due (replicas wake
// only themselves; the polls, spread at random, find the rest). After an error it waits, longer each time. Thread-safe.
class WorkerLoop {
 public:
  // What a step found.
  enum class Found { kWork, kNothing };

  struct Options {
    // What the log calls it.
    std::string name;
    // The longest time between two steps; each is shortened by a random part of at most a half.
    absl::Duration poll = absl::Seconds(1);
    // The longest wait after errors.
    absl::Duration max_backoff = absl::Seconds(10);
    // The shortest time between the beginnings of two steps: work that comes piece by piece is done in fewer, larger
    // steps. The first piece after a pause does not wait.
    absl::Duration gap = absl::ZeroDuration();
  };

  // `step` runs on the loop's own thread only. `random` must outlive the loop.
  WorkerLoop(Options options, std::function<absl::StatusOr<Found>()> step, RandomSource& random, Logger logger);
  // Stops.
  ~WorkerLoop();
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  // Starts the thread; once.
  void Start();
  // Says that there may be work now.
  void Wake();
  // Lets the step that runs end, and ends the thread. Stopping again, or before Start, changes nothing.
  void Stop();

 private:
  void Run();
  // Waits until woken, stopped or `timeout` has passed; returns whether to go on.
  bool WaitForWork(absl::Duration timeout);
  // Waits until stopped or `timeout` has passed; returns whether to go on.
  bool Rest(absl::Duration timeout);

  const Options options_;
  const std::function<absl::StatusOr<Found>()> step_;
  RandomSource& random_;
  const Logger logger_;
  absl::Mutex mutex_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace davit::rule_engine
