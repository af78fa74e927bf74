// The agent's loop: exchanges with the scheduler what it holds, and keeps its jobs accordingly. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/status/retry.h"
#include "services/builder_agent/build_job.h"
#include "services/builder_agent/lease_table.h"
#include "services/builder_agent/scheduler_client.h"

namespace davit::builder_agent {

// Who the agent is.
struct AgentOptions {
  // Unique in the installation, kept over restarts.
  std::string name;
  std::map<std::string, std::string> labels;
  // Builds at a time.
  int slots = 1;
  std::string version;
};

// Pulls builds while it has free slots, one exchange at a time. Jobs go on while the scheduler is away, until their
// leases run out on this machine's monotonic clock; then the agent stops them by itself.
class Agent final : public JobObserver {
 public:
  // References must outlive the agent.
  Agent(AgentOptions options, SchedulerClient& scheduler, JobLauncher& launcher, Clock& clock, RandomSource& random,
        Logger logger, metrics::Registry& metrics);
  // Stops everything.
  ~Agent() override;

  // Begins to exchange on a thread of its own.
  void Start();

  // Takes no more builds and waits for those that run; what is unfinished shortly before `deadline` is given back.
  // Returns when nothing is held any more, at `deadline` at the latest.
  void Drain(absl::Time deadline);

  // Whether a newer session of this agent's name has taken over: this one holds nothing and takes nothing any more.
  bool superseded() const;

  // One exchange on the caller's thread; returns after how long the next is due. Start calls it in a loop.
  absl::Duration SyncOnce();

  void OnPhase(const LeaseKey& lease, scheduler::v1::BuildPhase phase) override;
  void OnResult(const LeaseKey& lease, scheduler::v1::BuildResult result) override;
  void OnReturned(const LeaseKey& lease) override;
  void OnOver(const LeaseKey& lease) override;

 private:
  enum class Drained { kNo, kFinishing, kReturning };

  void Loop();
  scheduler::v1::SynchronizeRequest MakeRequest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration TakeResponse(const scheduler::v1::SynchronizeResponse& response, absl::Duration sent_at)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration TakeError(const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Carry(const LeaseChanges& changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes out the jobs that are over; they are to be destroyed without the mutex.
  std::vector<std::unique_ptr<Job>> TakeOver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Jobs that still occupy a slot.
  int Busy() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct Running {
    std::unique_ptr<Job> job;
    bool ended = false;  // It has told its result; only the result is held.
    bool over = false;
  };

  const AgentOptions options_;
  const std::string session_id_;
  SchedulerClient& scheduler_;
  JobLauncher& launcher_;
  Clock& clock_;
  const Logger logger_;
  metrics::Registry& metrics_;
  metrics::Gauge busy_slots_;

  mutable absl::Mutex mutex_;
  LeaseTable table_ ABSL_GUARDED_BY(mutex_);
  std::map<LeaseKey, Running> jobs_ ABSL_GUARDED_BY(mutex_);
  bool starts_session_ ABSL_GUARDED_BY(mutex_) = true;
  bool superseded_ ABSL_GUARDED_BY(mutex_) = false;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;  // Something is to be told to the scheduler.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Drained drained_ ABSL_GUARDED_BY(mutex_) = Drained::kNo;
  // Ends the exchange that is parked, so that a drain is told at once.
  std::stop_source unpark_ ABSL_GUARDED_BY(mutex_);
  Backoff backoff_ ABSL_GUARDED_BY(mutex_);
  std::thread loop_;
};

}  // namespace davit::builder_agent
