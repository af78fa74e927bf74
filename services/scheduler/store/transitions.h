// The steps by which a build changes its state, inside the transaction of whoever decides: shared by the PostgreSQL
// stores so that there is one way to end an attempt. Locks are taken in the order lanes, queue, leases, builds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/postgres/transaction.h"
#include "services/scheduler/domain/retry_policy.h"
#include "services/scheduler/store/records.h"

namespace davit::scheduler {

// What decides about a build's next state; its row is locked.
struct LockedBuild {
  std::string id;
  std::string project;
  std::string pool;
  int priority = 0;
  int64_t sequence = 0;
  BuildState state = BuildState::kQueued;
  int attempt = 0;
  int failures = 0;
  std::optional<int> infrastructure_retries;  // Not set = as often as the scheduler does.
  StopRequest stop = StopRequest::kNone;
  std::string superseded_by;
  std::string rule_id;
  std::string concurrency_key;
  int max_concurrent = 0;
  std::string image_repository;
  std::string registry_credential_id;
  std::vector<std::string> tags;
  std::string digest;
};

// The state that a build comes to.
struct Advance {
  BuildState state = BuildState::kQueued;
  bool counts_as_failure = false;
  std::optional<absl::Time> not_before;
  std::string digest;
  Failure failure;
  std::string detail;  // For the history.
};

// Names a lane.
struct LaneKey {
  std::string pool;
  std::string project;
};

// Where a build queues, whether or not it does.
struct LaneOfBuild {
  std::string build_id;
  LaneKey key;
  int priority = 0;
  int64_t sequence = 0;
  std::string rule_id;
};

// The lane of a build. NOT_FOUND.
absl::StatusOr<LaneOfBuild> FindLane(postgres::Transaction& transaction, const std::string& id);

// Locks lanes, in one order for everyone.
absl::Status LockLanes(postgres::Transaction& transaction, const std::vector<LaneKey>& lanes);

// Locks a build. NOT_FOUND.
absl::StatusOr<LockedBuild> LockBuild(postgres::Transaction& transaction, const std::string& id);

// Moves a locked build on and records it. INTERNAL when the state may not follow.
absl::Status AdvanceBuild(postgres::Transaction& transaction, const LockedBuild& build, const Advance& advance);

// Lets the commits of builds show the states that the builds have come to in this transaction (commit_status_store.h).
absl::Status MarkCommits(postgres::Transaction& transaction, const std::vector<std::string>& builds);

// Puts a build into its lane.
absl::Status Enqueue(postgres::Transaction& transaction, const std::string& pool, const std::string& project,
                     int priority, int64_t sequence, const std::string& id, int default_max_running);

// How attempts are ended.
struct EndingRules {
  RetryPolicy retry;
  double fraction = 0;  // The draw for the delay's jitter.
  int default_max_running = 20;
};

// Ends the attempt that holds (build, fence): deletes the lease, closes the attempt's record, decides what follows and
// does it, asks for the grant's revocation. The caller has locked the lease's lane. nullopt when the lease is gone:
// nothing was changed.
absl::StatusOr<std::optional<EndedAttempt>> EndAttempt(postgres::Transaction& transaction, const AttemptReport& report,
                                                       const EndingRules& rules);

// The status of a call with a fence that holds no lease: NOT_FOUND for an unknown build, else FAILED_PRECONDITION.
absl::Status StaleFence(postgres::Transaction& transaction, const std::string& build_id, int64_t fence);

}  // namespace davit::scheduler
