// The scheduler's background work that is due now and then: dead leases, delayed builds, revocations, lane counters,
// old uploads, metrics. Each function is one round of a Loop.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/scheduler/loop.h"
#include "services/scheduler/store/commit_status_store.h"
#include "services/scheduler/store/lease_store.h"
#include "services/scheduler/store/queue_store.h"
#include "services/scheduler/store/tag_store.h"
#include "services/scheduler/store/upload_store.h"
#include "services/scheduler/token_registry_client.h"

namespace davit::scheduler {

// What the rounds work with; everything outlives them.
struct HousekeepingDeps {
  LeaseStore& leases;
  QueueStore& queue;
  RevocationStore& revocations;
  UploadStore& uploads;
  CommitStatusStore& commit_statuses;
  TokenRegistryClient& token_registry;
  // Runs after attempts ended.
  std::function<void(const std::vector<EndedAttempt>&)> attempts_ended;
  // Runs after builds were queued.
  std::function<void()> builds_queued;
  absl::Duration upload_retention;
  // How long what a commit shows is remembered after it was told.
  absl::Duration commit_status_retention;
  Logger logger;
  metrics::Registry& metrics;
};

// Each function is used by one loop; different functions by different ones.
class Housekeeping {
 public:
  explicit Housekeeping(HousekeepingDeps deps);

  // Ends attempts whose lease is dead, queues delayed builds whose time has come, measures the queue.
  Loop::Again Reap();

  // Revokes grants of leases that have ended.
  Loop::Again Revoke();

  // Sets lane counters right, removes old uploads, forgets old sessions and commit statuses.
  Loop::Again Tidy();

 private:
  void Measure();

  const HousekeepingDeps deps_;
  metrics::Counter expired_;
  metrics::Counter corrected_;
  int rounds_ = 0;  // Of Reap.
};

}  // namespace davit::scheduler
