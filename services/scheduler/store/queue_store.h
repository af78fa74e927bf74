// The queue: claims, delays, lanes, explanations. The interface and its PostgreSQL implementation's constructor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/scheduler/domain/queue_explanation.h"
#include "services/scheduler/store/records.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// A free slot of an agent.
struct FreeSlot {
  std::string agent_id;
  std::string session_id;
};

// How much waits and runs in a pool.
struct PoolDepth {
  std::string pool;
  int64_t queued = 0;
  int64_t running = 0;
  absl::Duration oldest_wait;
};

// Thread-safe; every call may block.
class QueueStore {
 public:
  virtual ~QueueStore() = default;

  // Gives queued builds to free slots: at most one of each project, the least served projects first. `project` may be
  // kEveryProject. Fewer than could be had may come back while others claim too: call again.
  virtual absl::StatusOr<std::vector<ClaimedLease>> Claim(const std::string& pool, const std::string& project,
                                                          const std::vector<FreeSlot>& slots) = 0;

  // Queues delayed builds whose time has come; returns how many lanes got some.
  virtual absl::StatusOr<int> PromoteDue() = 0;

  // Sets the lanes' counters to what the tables hold and their limits to what is configured, lane by lane; returns how
  // many counters differed.
  virtual absl::StatusOr<int> ReconcileLanes() = 0;

  // Why a build waits. NOT_FOUND; FAILED_PRECONDITION when it does not wait. `present_within` is how recently an agent
  // must have called to count.
  virtual absl::StatusOr<QueueExplanation> Explain(const std::string& project, const std::string& build_id,
                                                   absl::Duration present_within) = 0;

  // Of every pool.
  virtual absl::StatusOr<std::vector<PoolDepth>> Depths() = 0;
};

// How leases are made.
struct QueueStoreOptions {
  // How long a lease lasts without a renewal.
  absl::Duration lease_ttl = absl::Seconds(30);
  // What an attempt may take longer than the build's own time limit before the scheduler ends it.
  absl::Duration timeout_margin = absl::Seconds(60);
  // The limit of a project without limits of its own.
  int default_max_running = 20;
};

// `pool` must outlive the store.
std::unique_ptr<QueueStore> NewPostgresQueueStore(postgres::Pool& pool, QueueStoreOptions options);

}  // namespace davit::scheduler
