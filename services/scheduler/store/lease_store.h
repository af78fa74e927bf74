// Sessions of agents and the leases that they hold. The interface and its PostgreSQL implementation's constructor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/ids/random.h"
#include "services/scheduler/store/records.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// Thread-safe; every call is one transaction and may block. Of all calls that end one attempt exactly one has an
// effect.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  // Takes in what an agent says: its session, the attempts that ended, the leases that go on (all renewed in one
  // statement). What it says of leases that are not its own any more changes nothing. FAILED_PRECONDITION "session
  // superseded".
  virtual absl::StatusOr<SessionOutcome> Synchronize(const SessionReport& report) = 0;

  // What the session's agent is to do. FAILED_PRECONDITION "session superseded".
  virtual absl::StatusOr<std::vector<HeldLease>> Leases(const std::string& agent_id, const std::string& session_id) = 0;

  // Records that the credentials of leases have been granted.
  virtual absl::Status MarkGranted(const std::vector<HeldLease>& leases) = 0;

  // Ends an attempt for the scheduler's own reasons. FAILED_PRECONDITION "lease superseded by fence F" or "lease has
  // ended".
  virtual absl::StatusOr<EndedAttempt> End(const AttemptReport& report) = 0;

  // OK while the fence may act for the build; else as End. Of `project` only (kEveryProject = any).
  virtual absl::Status Check(const std::string& project, const std::string& build_id, int64_t fence) = 0;

  // Ends the attempts whose lease has expired or whose time is over; returns them.
  virtual absl::StatusOr<std::vector<EndedAttempt>> ReapDead() = 0;

  // Forgets sessions that were replaced long ago.
  virtual absl::Status ForgetSessions() = 0;
};

// How leases go on and what follows them.
struct LeaseStoreOptions {
  absl::Duration lease_ttl = absl::Seconds(30);
  RetryPolicy retry;
  // The limit of a project without limits of its own.
  int default_max_running = 20;
};

// `pool` and `random` must outlive the store.
std::unique_ptr<LeaseStore> NewPostgresLeaseStore(postgres::Pool& pool, RandomSource& random,
                                                  LeaseStoreOptions options);

}  // namespace davit::scheduler
