// The scheduler as one object: its stores, services and background loops, wired together. main.cc and the standalone
// program make the same one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/auth/authenticator.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/scheduler/domain/retry_policy.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace davit::scheduler {

// Everything that an operator or a test can choose.
struct SchedulerOptions {
  // libpq conninfo of the application role, and of the owner that runs the migrations (empty = somebody else runs
  // them).
  std::string database;
  std::string owner_database;
  // Connections at most; publishing tags has a few of its own beside them.
  int database_connections = 10;

  // Threads that work on calls, and calls that may wait for one.
  int threads = 12;
  int max_queued_calls = 2000;

  // How long a lease lasts without a renewal.
  absl::Duration lease_ttl = absl::Seconds(30);
  // How often other replicas' changes are looked for.
  absl::Duration poll_interval = absl::Seconds(1);
  // When an agent that has builds calls again.
  absl::Duration busy_sync_interval = absl::Seconds(1);
  // How long an idle agent's call is parked at most; never longer than a third of a lease.
  absl::Duration idle_park = absl::Seconds(30);
  // How often dead leases are looked for.
  absl::Duration reap_interval = absl::Seconds(1);
  // What an attempt may take longer than the build's own time limit.
  absl::Duration timeout_margin = absl::Seconds(60);
  RetryPolicy retry;
  // Builds of one project that run at a time, without limits of its own.
  int max_running_per_project = 20;
  // How often lane counters are set right, old uploads removed and so on.
  absl::Duration housekeeping_interval = absl::Minutes(1);

  int64_t max_log_size = int64_t{64} << 20;
  // How long after an attempt's end the rest of its log may still come.
  absl::Duration log_tail_grace = absl::Seconds(15);
  int64_t max_upload_size = int64_t{512} << 20;
  absl::Duration upload_retention = absl::Hours(24);
  // What a commit shows at its provider is remembered for so long after it was told. An older build of the commit that
  // ends later could show again: longer than any build may take.
  absl::Duration commit_status_retention = absl::Hours(30 * 24);

  // Registries that may be reached over plain http or at private addresses (libs/http/address_policy.h).
  std::vector<std::string> allowed_hosts;
  // Where people see builds, for the links of commit statuses (URL/builds/ID); empty: no links.
  std::string public_url;
  // Commit statuses that are told at a time.
  int reporters = 2;
  // Publications that are worked off at a time.
  int publishers = 2;
  // For each HTTP request to a registry.
  absl::Duration registry_timeout = absl::Seconds(20);
  // How long a publication whose publisher died is left alone.
  absl::Duration publish_hold = absl::Seconds(15);
  absl::Duration publish_give_up_after = absl::Minutes(30);
};

// What the scheduler is given; everything outlives it.
struct SchedulerDeps {
  Clock& clock;
  RandomSource& random;
  Logger logger;
  metrics::Registry& metrics;
  auth::Authenticator& authenticator;
  // To the token-registry, with the scheduler's own token.
  std::shared_ptr<grpc::Channel> token_registry;
};

class SchedulerApp {
 public:
  // Migrates (when it may), connects, and makes everything but the loops.
  static absl::StatusOr<std::unique_ptr<SchedulerApp>> Create(const SchedulerOptions& options, SchedulerDeps deps);
  ~SchedulerApp();
  SchedulerApp(const SchedulerApp&) = delete;
  SchedulerApp& operator=(const SchedulerApp&) = delete;

  // Scheduler and AgentService, for rpc::Server. The server must be gone before the app is.
  std::vector<grpc::Service*> services();

  // Starts the background loops.
  absl::Status Start();

  // Ends parked calls and the loops; what is under way in a loop ends first. Call it before the server is drained.
  void Drain(absl::Time deadline);

 private:
  class Parts;
  explicit SchedulerApp(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::scheduler
