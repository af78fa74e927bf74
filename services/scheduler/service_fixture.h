// A whole scheduler for tests: real PostgreSQL, a fake token-registry, in-process channels. Time limits are short, so
// that nothing needs to sleep.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "davit/scheduler/v1/agent_service.grpc.pb.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/auth/testing/fake_authenticator.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/metrics/metrics.h"
#include "libs/postgres/testing/test_database.h"
#include "libs/rpc/server.h"
#include "services/scheduler/scheduler_app.h"
#include "services/scheduler/testing/fake_token_registry.h"

namespace davit::scheduler {

// Starts the scheduler and speaks to it as a developer, an administrator and an agent.
class ServiceFixture : public ::testing::Test {
 protected:
  ServiceFixture();
  ~ServiceFixture() override;

  // Options that tests may change before Start.
  SchedulerOptions options_;

  // Starts the scheduler; Stop ends it, so that it can be started again on the same database.
  void Start();
  void Stop();

  // A request for a build of branch main.
  static v1::CreateBuildRequest BuildRequest();

  // Makes a build, which must succeed.
  v1::Build Create(const v1::CreateBuildRequest& request = BuildRequest());
  v1::Build Get(const std::string& id);

  // Waits until the build is in the state and returns it.
  v1::Build Await(const std::string& id, v1::BuildState state);

  // One call of the agent "one" in session `session_`; `reports` are what it holds.
  grpc::Status Synchronize(const std::vector<v1::LeaseReport>& reports, absl::Duration max_wait,
                           v1::SynchronizeResponse& response);

  // The agent waits until it has a build.
  v1::Lease TakeOne();

  // The report of a lease that goes on, or that ended.
  static v1::LeaseReport Holding(const v1::Lease& lease, v1::BuildPhase phase = v1::BUILD_PHASE_BUILDING);
  static v1::LeaseReport Failed(const v1::Lease& lease, v1::FailureClass failure_class, const std::string& message);
  static v1::LeaseReport Succeeded(const v1::Lease& lease, const std::string& digest);

  // Appends to the log of a lease.
  grpc::Status Append(const v1::Lease& lease, int64_t offset, const std::string& data, int64_t* stored = nullptr);

  // Runs a statement as administrator and returns the first field.
  std::string Sql(const std::string& statement);

  RealClock clock_;
  SystemRandom random_;
  metrics::Registry metrics_;
  auth::FakeAuthenticator authenticator_;
  postgres::TestDatabase database_;
  FakeTokenRegistry token_registry_;
  FakeBuildSecrets build_secrets_;
  std::unique_ptr<rpc::Server> token_registry_server_;
  std::unique_ptr<SchedulerApp> app_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::Scheduler::Stub> client_;
  std::unique_ptr<v1::Scheduler::Stub> viewer_;
  std::unique_ptr<v1::Scheduler::Stub> stranger_;
  std::unique_ptr<v1::Scheduler::Stub> admin_;
  std::unique_ptr<v1::AgentService::Stub> agent_;
  std::string session_ = "ses_01jgfjh3zdf2mvq8r6kq8c0v4x";
  bool started_session_ = false;
};

}  // namespace davit::scheduler
