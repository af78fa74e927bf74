// Implements scheduler_app.h: construction and order of start and end, nothing else.
#include "services/scheduler/scheduler_app.h"

#include <algorithm>
#include <utility>

#include "libs/auth/call_guard.h"
#include "libs/http/client.h"
#include "libs/postgres/migrate.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/executor.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/agent_service.h"
#include "services/scheduler/change_hub.h"
#include "services/scheduler/claim_dispatcher.h"
#include "services/scheduler/commit_reporter.h"
#include "services/scheduler/housekeeping.h"
#include "services/scheduler/lease_granter.h"
#include "services/scheduler/migrations.h"
#include "services/scheduler/scheduler_service.h"
#include "services/scheduler/tag_publisher.h"
#include "services/scheduler/token_registry_client.h"

namespace davit::scheduler {
namespace {

// An agent that has not called for so many leases' time is offline.
constexpr int kOfflineAfterLeases = 2;

// Work that is woken where it arises is polled so many times slower: only what other replicas left behind waits for
// that.
constexpr int kSlowPolls = 2;

postgres::PoolOptions MainPool(const SchedulerOptions& options) {
  postgres::PoolOptions pool;
  pool.conninfo = options.database;
  pool.max_connections = options.database_connections;
  pool.application_name = "davit-scheduler";
  return pool;
}

// Publishing holds a transaction open across requests to a registry.
postgres::PoolOptions PublishingPool(const SchedulerOptions& options) {
  postgres::PoolOptions pool = MainPool(options);
  pool.max_connections = options.publishers + 1;
  pool.statement_timeout = 3 * options.registry_timeout;
  pool.idle_in_transaction_timeout = 4 * options.registry_timeout;
  pool.application_name = "davit-scheduler-publisher";
  return pool;
}

}  // namespace

// Everything, in the order in which it is made; it is destroyed in the opposite order.
class SchedulerApp::Parts {
 public:
  Parts(const SchedulerOptions& options, SchedulerDeps deps, std::unique_ptr<postgres::Pool> pool,
        std::unique_ptr<postgres::Pool> publishing_pool, http::AddressPolicy policy)
      : options_(options),
        deps_(std::move(deps)),
        pool_(std::move(pool)),
        publishing_pool_(std::move(publishing_pool)),
        builds_(NewPostgresBuildStore(*pool_, options_.max_running_per_project)),
        queue_(NewPostgresQueueStore(*pool_,
                                     {options_.lease_ttl, options_.timeout_margin, options_.max_running_per_project})),
        leases_(NewPostgresLeaseStore(*pool_, deps_.random,
                                      {options_.lease_ttl, options_.retry, options_.max_running_per_project})),
        logs_(NewPostgresLogStore(*pool_, options_.max_log_size)),
        uploads_(NewPostgresUploadStore(*pool_)),
        agents_(NewPostgresAgentStore(*pool_, PresentWithin())),
        tags_(NewPostgresTagStore(*publishing_pool_)),
        revocations_(NewPostgresRevocationStore(*pool_)),
        commit_statuses_(NewPostgresCommitStatusStore(*pool_)),
        http_(http::ClientOptions{.policy = std::move(policy), .user_agent = "davit-scheduler"}),
        token_registry_(deps_.token_registry),
        targets_(NewOciTagTargets(http_, token_registry_, options_.registry_timeout)),
        guard_(deps_.authenticator, deps_.clock, deps_.random, deps_.metrics),
        hub_(*builds_, options_.poll_interval, deps_.random),
        granter_(token_registry_, *leases_, *uploads_, deps_.clock, deps_.logger),
        publisher_(
            *tags_, *targets_, deps_.random, PublisherOptions(),
            [this](const std::string& build) { hub_.Notify(build, Topic::kBuild); }, deps_.logger, deps_.metrics),
        reporter_(
            *commit_statuses_, [this](const CommitReport& report) { return token_registry_.SetCommitStatus(report); },
            [this](const std::string& build) { hub_.Notify(build, Topic::kBuild); }, options_.public_url, deps_.logger,
            deps_.metrics),
        housekeeping_({*leases_, *queue_, *revocations_, *uploads_, *commit_statuses_, token_registry_,
                       [this](const std::vector<EndedAttempt>& ended) { AttemptsEnded(ended); },
                       [this] { dispatcher_.Wake(); }, options_.upload_retention, options_.commit_status_retention,
                       deps_.logger, deps_.metrics}),
        dispatcher_(*queue_, deps_.clock, deps_.random, options_.poll_interval, deps_.logger, deps_.metrics),
        executor_("the scheduler's calls", options_.threads, options_.max_queued_calls),
        scheduler_service_({executor_, guard_, *builds_, *queue_, *agents_, *uploads_, token_registry_, hub_,
                            dispatcher_, deps_.clock, deps_.random, PresentWithin()},
                           ReadDeps(),
                           {executor_, guard_, *uploads_, deps_.clock, deps_.random, options_.max_upload_size}),
        agent_service_(
            {executor_, guard_, *leases_, *logs_, *uploads_, granter_, dispatcher_, hub_, deps_.clock, deps_.random,
             [this](const std::vector<EndedAttempt>& ended) { AttemptsEnded(ended); }, deps_.logger},
            ReadDeps(), AgentOptions()) {}

  ~Parts() { StopLoops(); }

  std::vector<grpc::Service*> services() { return {&scheduler_service_, &agent_service_}; }

  void Start() {
    absl::MutexLock lock(&loops_mutex_);
    reaping_ = std::make_unique<Loop>(options_.reap_interval, deps_.random, [this] { return housekeeping_.Reap(); });
    revoking_ = std::make_unique<Loop>(kSlowPolls * options_.poll_interval, deps_.random,
                                       [this] { return housekeeping_.Revoke(); });
    tidying_ =
        std::make_unique<Loop>(options_.housekeeping_interval, deps_.random, [this] { return housekeeping_.Tidy(); });
    for (int i = 0; i < options_.reporters; ++i) {
      reporting_.push_back(
          std::make_unique<Loop>(options_.poll_interval, deps_.random, [this] { return reporter_.ReportNext(); }));
    }
    for (int i = 0; i < options_.publishers; ++i) {
      publishing_.push_back(std::make_unique<Loop>(kSlowPolls * options_.poll_interval, deps_.random,
                                                   [this] { return publisher_.PublishNext(); }));
    }
  }

  void Drain() {
    dispatcher_.Stop();
    hub_.Close();
    StopLoops();
  }

 private:
  // An agent counts a new lease's time from when it sent the request, which may have been parked since: a park that
  // took much of the lease would have it give the build back at once.
  absl::Duration IdlePark() const { return std::min(options_.idle_park, options_.lease_ttl / 3); }

  absl::Duration PresentWithin() const { return kOfflineAfterLeases * options_.lease_ttl + IdlePark(); }

  TagPublisherOptions PublisherOptions() const {
    TagPublisherOptions publisher;
    publisher.hold = options_.publish_hold;
    publisher.give_up_after = options_.publish_give_up_after;
    return publisher;
  }

  AgentServiceOptions AgentOptions() const {
    AgentServiceOptions agent;
    agent.lease_ttl = options_.lease_ttl;
    agent.busy_sync_interval = options_.busy_sync_interval;
    agent.idle_park = IdlePark();
    return agent;
  }

  ReadCallDeps ReadDeps() {
    return {executor_, guard_, hub_, *builds_, *leases_, *logs_, *uploads_, options_.log_tail_grace};
  }

  // Lets everybody know that attempts have ended: watchers, publishers, claimers.
  void AttemptsEnded(const std::vector<EndedAttempt>& ended) {
    for (const EndedAttempt& attempt : ended) hub_.Notify(attempt.build_id, Topic::kBuild);
    dispatcher_.Wake();
    absl::MutexLock lock(&loops_mutex_);
    for (const std::unique_ptr<Loop>& loop : publishing_) loop->Wake();
    for (const std::unique_ptr<Loop>& loop : reporting_) loop->Wake();
    if (revoking_ != nullptr) revoking_->Wake();
  }

  void StopLoops() {
    std::vector<std::unique_ptr<Loop>> loops;
    {
      // Not joined under the lock: a loop's round may be about to wake the others.
      absl::MutexLock lock(&loops_mutex_);
      loops = std::move(publishing_);
      publishing_.clear();
      for (std::unique_ptr<Loop>& loop : reporting_) loops.push_back(std::move(loop));
      reporting_.clear();
      loops.push_back(std::move(reaping_));
      loops.push_back(std::move(revoking_));
      loops.push_back(std::move(tidying_));
    }
    for (const std::unique_ptr<Loop>& loop : loops) {
      if (loop != nullptr) loop->Stop();
    }
  }

  const SchedulerOptions options_;
  SchedulerDeps deps_;
  const std::unique_ptr<postgres::Pool> pool_;
  const std::unique_ptr<postgres::Pool> publishing_pool_;
  const std::unique_ptr<BuildStore> builds_;
  const std::unique_ptr<QueueStore> queue_;
  const std::unique_ptr<LeaseStore> leases_;
  const std::unique_ptr<LogStore> logs_;
  const std::unique_ptr<UploadStore> uploads_;
  const std::unique_ptr<AgentStore> agents_;
  const std::unique_ptr<TagStore> tags_;
  const std::unique_ptr<RevocationStore> revocations_;
  const std::unique_ptr<CommitStatusStore> commit_statuses_;
  http::Client http_;
  TokenRegistryClient token_registry_;
  const std::unique_ptr<TagTargets> targets_;
  auth::CallGuard guard_;
  ChangeHub hub_;
  LeaseGranter granter_;
  TagPublisher publisher_;
  CommitReporter reporter_;
  Housekeeping housekeeping_;
  ClaimDispatcher dispatcher_;
  rpc::Executor executor_;
  SchedulerService scheduler_service_;
  AgentService agent_service_;
  absl::Mutex loops_mutex_;
  std::vector<std::unique_ptr<Loop>> publishing_ ABSL_GUARDED_BY(loops_mutex_);
  std::vector<std::unique_ptr<Loop>> reporting_ ABSL_GUARDED_BY(loops_mutex_);
  std::unique_ptr<Loop> reaping_ ABSL_GUARDED_BY(loops_mutex_);
  std::unique_ptr<Loop> revoking_ ABSL_GUARDED_BY(loops_mutex_);
  std::unique_ptr<Loop> tidying_ ABSL_GUARDED_BY(loops_mutex_);
};

SchedulerApp::SchedulerApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SchedulerApp::~SchedulerApp() = default;

absl::StatusOr<std::unique_ptr<SchedulerApp>> SchedulerApp::Create(const SchedulerOptions& options,
                                                                   SchedulerDeps deps) {
  DAVIT_RETURN_IF_ERROR(
      postgres::MigrateOrCheck(options.owner_database, options.database, "scheduler", migrations::kAll));
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<postgres::Pool> pool, postgres::Pool::Open(MainPool(options)));
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<postgres::Pool> publishing, postgres::Pool::Open(PublishingPool(options)));
  http::AddressPolicyOptions policy_options;
  policy_options.allowed_hosts = options.allowed_hosts;
  DAVIT_ASSIGN_OR_RETURN(http::AddressPolicy policy, http::AddressPolicy::Create(policy_options));
  return std::unique_ptr<SchedulerApp>(new SchedulerApp(
      std::make_unique<Parts>(options, std::move(deps), std::move(pool), std::move(publishing), std::move(policy))));
}

std::vector<grpc::Service*> SchedulerApp::services() { return parts_->services(); }

absl::Status SchedulerApp::Start() {
  parts_->Start();
  return absl::OkStatus();
}

void SchedulerApp::Drain(absl::Time) { parts_->Drain(); }

}  // namespace davit::scheduler
