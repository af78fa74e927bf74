// Brings free slots and queued builds together: agents' calls leave their free slots here, one thread claims for all of
// them. Owns the thread and the waiting demands; every function may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/scheduler/store/queue_store.h"

namespace davit::scheduler {

// What one call of an agent wants.
struct SlotDemand {
  std::string pool;
  std::string project;  // Whose builds the agent may serve.
  std::string agent_id;
  std::string session_id;
  int slots = 0;        // 0 = it only waits.
  absl::Duration wait;  // How long to wait for a build; with zero one claim is tried.
};

// A demand ends (its callback runs, once) when builds were claimed for its session, when its time is over, or when it
// is withdrawn. What was claimed is in the lease store, so that a lost answer loses nothing. No thread waits per
// demand.
class ClaimDispatcher {
 public:
  using Done = std::function<void()>;

  // `poll` is how often the queue is looked at while demands wait, for builds that other replicas queued. References
  // must outlive the dispatcher.
  ClaimDispatcher(QueueStore& queue, Clock& clock, RandomSource& random, absl::Duration poll, Logger logger,
                  metrics::Registry& metrics);
  ~ClaimDispatcher();

  // Returns a ticket for Withdraw. `done` runs on the dispatcher's thread (or in Withdraw or Stop) and must not block.
  int64_t Submit(SlotDemand demand, Done done);

  // Ends a demand early; unknown tickets are ignored.
  void Withdraw(int64_t ticket);

  // Ends the demands of a session early.
  void WithdrawSession(const std::string& session_id);

  // There may be something to claim.
  void Wake();

  // Ends all demands, and each later one at once.
  void Stop();

 private:
  struct Waiting {
    SlotDemand demand;
    absl::Duration deadline;  // Monotonic.
    bool tried = false;
    bool served = false;
    Done done;
  };

  void Run();
  void WaitForWork();
  void ClaimRound();
  void ClaimFor(const std::string& pool, const std::string& project, std::vector<SlotDemand> demands);
  void FinishServed();

  QueueStore& queue_;
  Clock& clock_;
  RandomSource& random_;
  const absl::Duration poll_;
  const Logger logger_;
  metrics::Counter claimed_;
  metrics::Counter failed_;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t next_ticket_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<int64_t, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace davit::scheduler
