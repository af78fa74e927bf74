// Keeps one engine running: cleans up after a predecessor, starts it, waits until it serves, starts it again with
// growing pauses when it dies or stops answering, and stops it in order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "services/standalone/data_dir.h"
#include "services/standalone/engine.h"

namespace davit::standalone {

struct SupervisorOptions {
  absl::Duration poll_start = absl::Milliseconds(20);    // How often Probe is asked while the engine starts.
  absl::Duration poll_running = absl::Seconds(5);        // … and while it runs.
  int missed_probes = 6;                                 // So many failed probes in a row: it is restarted.
  absl::Duration first_pause = absl::Milliseconds(200);  // Before the first restart; doubles up to last_pause.
  absl::Duration last_pause = absl::Seconds(30);
  absl::Duration settled = absl::Minutes(1);  // Having run this long makes the pauses start over.
};

// Owns the engine and the thread that spawns it (the engine follows that thread's end, so that it never outlives this
// process).
class Supervisor {
 public:
  // Receives progress for people, from any thread.
  using Progress = std::function<void(const std::string& line)>;

  // `data_dir` and `random` must outlive this.
  Supervisor(std::unique_ptr<Engine> engine, const DataDir& data_dir, RandomSource& random, Logger logger,
             Progress progress, SupervisorOptions options);

  // Stops the engine.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Begins; returns at once.
  void Start();

  // Waits until the engine serves for the first time. The first start is not repeated: its error says why it failed,
  // with the end of the engine's log.
  absl::Status WaitReady();

  // Whether the engine serves now; UNAVAILABLE with the reason otherwise.
  absl::Status Health() const;

  // How often the engine was started again.
  int restarts() const;

  // Stops the engine in order and waits for it. Stopping again changes nothing.
  void Stop();

 private:
  void Supervise();
  // Everything up to a serving engine. The engine runs, serving or not, while `*running` is set.
  absl::Status Launch(std::unique_ptr<process::Process>* running);
  absl::Status WaitUntilServing(process::Process& process);
  // Returns why the running engine has to be started again; OK when Stop was called.
  absl::Status Watch(process::Process& process);
  void End(std::unique_ptr<process::Process> process);
  void SetHealth(absl::Status health);
  // Waits; returns whether Stop was called.
  bool PauseFor(absl::Duration pause);

  const std::unique_ptr<Engine> engine_;
  const DataDir& data_dir_;
  RandomSource& random_;
  const Logger logger_;
  const Progress progress_;
  const SupervisorOptions options_;

  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool decided_ ABSL_GUARDED_BY(mutex_) = false;  // The first start has succeeded or failed.
  absl::Status health_ ABSL_GUARDED_BY(mutex_) = absl::UnavailableError("not started");
  int restarts_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace davit::standalone
