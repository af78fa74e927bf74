// Tests of services/builder_agent/agent.h: one exchange after the other, on the test's thread.
#include "services/builder_agent/agent.h"

#include <gtest/gtest.h>

#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "services/builder_agent/testing/fake_clients.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

// Jobs that end when the test says so.
class FakeLauncher final : public JobLauncher {
 public:
  struct State {
    std::vector<StopReason> stops;
    bool destroyed = false;
  };

  class FakeJob final : public Job {
   public:
    explicit FakeJob(State& state) : state_(state) {}
    ~FakeJob() override { state_.destroyed = true; }
    void Stop(StopReason reason) override { state_.stops.push_back(reason); }

   private:
    State& state_;
  };

  std::unique_ptr<Job> Launch(const proto::Lease& lease, JobObserver&) override {
    return std::make_unique<FakeJob>(jobs[LeaseKey{lease.build_id(), lease.fence()}]);
  }

  std::map<LeaseKey, State> jobs;
};

const LeaseKey kLease{"bld_a", 7};

class AgentTest : public ::testing::Test {
 protected:
  AgentTest()
      : agent_({.name = "agent-1", .labels = {}, .slots = 2, .version = "1"}, scheduler_, launcher_, clock_, random_,
               Logger::Discarding(), metrics_) {
    scheduler_.OnSynchronize([this](const proto::SynchronizeRequest&) -> absl::StatusOr<proto::SynchronizeResponse> {
      clock_.Advance(call_takes_);
      if (!error_.ok()) return error_;
      proto::SynchronizeResponse response;
      response.mutable_next_sync_in()->set_seconds(3);
      for (const LeaseKey& key : listed_) {
        proto::Lease& lease = *response.add_leases();
        lease.set_build_id(key.build_id);
        lease.set_fence(key.fence);
        lease.mutable_ttl()->set_seconds(30);
        lease.set_desired(desired_);
        lease.mutable_spec();
      }
      return response;
    });
  }

  proto::SynchronizeRequest LastRequest() { return scheduler_.requests().back(); }

  static proto::BuildResult Success() {
    proto::BuildResult result;
    result.set_outcome(proto::BuildAttempt::OUTCOME_SUCCEEDED);
    return result;
  }

  FakeClock clock_;
  FakeRandom random_;
  metrics::Registry metrics_;
  FakeScheduler scheduler_;
  FakeLauncher launcher_;
  std::vector<LeaseKey> listed_;
  proto::Lease::Desired desired_ = proto::Lease::DESIRED_RUN;
  absl::Status error_;
  absl::Duration call_takes_ = absl::ZeroDuration();
  Agent agent_;  // Last: its jobs refer to the launcher.
};

TEST_F(AgentTest, ASessionIsBegunOnceAndAnIdleAgentParks) {
  EXPECT_EQ(agent_.SyncOnce(), absl::Seconds(3));
  EXPECT_TRUE(LastRequest().starts_session());
  EXPECT_FALSE(LastRequest().has_max_wait());
  EXPECT_EQ(LastRequest().free_slots(), 2);
  const std::string session = LastRequest().session_id();
  agent_.SyncOnce();
  EXPECT_FALSE(LastRequest().starts_session());
  EXPECT_TRUE(LastRequest().has_max_wait());
  EXPECT_EQ(LastRequest().session_id(), session);
}

TEST_F(AgentTest, ALeasedBuildRunsIsReportedAndItsResultIsSentUntilTheLeaseIsGone) {
  listed_ = {kLease};
  agent_.SyncOnce();
  ASSERT_EQ(launcher_.jobs.size(), 1u);
  agent_.OnPhase(kLease, proto::BUILD_PHASE_BUILDING);
  agent_.SyncOnce();
  EXPECT_FALSE(LastRequest().has_max_wait());
  EXPECT_EQ(LastRequest().free_slots(), 1);
  EXPECT_EQ(LastRequest().reports(0).phase(), proto::BUILD_PHASE_BUILDING);
  agent_.OnResult(kLease, Success());
  agent_.OnOver(kLease);
  error_ = absl::UnavailableError("away");
  agent_.SyncOnce();
  error_ = absl::OkStatus();
  agent_.SyncOnce();
  EXPECT_TRUE(LastRequest().reports(0).has_result());
  EXPECT_EQ(LastRequest().free_slots(), 2);
  EXPECT_TRUE(launcher_.jobs[kLease].destroyed);
  listed_ = {};
  agent_.SyncOnce();
  agent_.SyncOnce();
  EXPECT_EQ(LastRequest().reports_size(), 0);
  EXPECT_TRUE(LastRequest().has_max_wait());
}

TEST_F(AgentTest, AnAbsentSchedulerStopsNothingUntilTheLeaseHasRunOut) {
  listed_ = {kLease};
  agent_.SyncOnce();
  error_ = absl::UnavailableError("away");
  clock_.Advance(absl::Seconds(29));
  EXPECT_LE(agent_.SyncOnce(), absl::Seconds(5));
  EXPECT_TRUE(launcher_.jobs[kLease].stops.empty());
  clock_.Advance(absl::Seconds(1));
  agent_.SyncOnce();
  EXPECT_EQ(launcher_.jobs[kLease].stops, std::vector<StopReason>{StopReason::kForgotten});
  EXPECT_EQ(LastRequest().reports_size(), 0);
}

TEST_F(AgentTest, ALeaseIsCountedFromWhenTheRequestWasSent) {
  listed_ = {kLease};
  call_takes_ = absl::Seconds(8);
  agent_.SyncOnce();
  error_ = absl::UnavailableError("away");
  call_takes_ = absl::ZeroDuration();
  clock_.Advance(absl::Seconds(22));
  agent_.SyncOnce();
  EXPECT_EQ(launcher_.jobs[kLease].stops, std::vector<StopReason>{StopReason::kForgotten});
}

TEST_F(AgentTest, AVanishedLeaseStopsItsBuildAndKeepsItsSlotUntilTheJobIsOver) {
  listed_ = {kLease};
  agent_.SyncOnce();
  listed_ = {};
  agent_.SyncOnce();
  EXPECT_EQ(launcher_.jobs[kLease].stops, std::vector<StopReason>{StopReason::kForgotten});
  agent_.SyncOnce();
  EXPECT_EQ(LastRequest().free_slots(), 1);
  agent_.OnOver(kLease);
  agent_.SyncOnce();
  EXPECT_EQ(LastRequest().free_slots(), 2);
}

TEST_F(AgentTest, ACancellationReachesTheJob) {
  listed_ = {kLease};
  agent_.SyncOnce();
  desired_ = proto::Lease::DESIRED_CANCEL;
  agent_.SyncOnce();
  EXPECT_EQ(launcher_.jobs[kLease].stops, std::vector<StopReason>{StopReason::kCancelled});
}

TEST_F(AgentTest, ASupersededSessionStopsEverythingForGood) {
  listed_ = {kLease};
  agent_.SyncOnce();
  error_ = absl::FailedPreconditionError("session superseded");
  agent_.SyncOnce();
  EXPECT_EQ(launcher_.jobs[kLease].stops, std::vector<StopReason>{StopReason::kForgotten});
  EXPECT_TRUE(agent_.superseded());
  const size_t calls = scheduler_.requests().size();
  EXPECT_EQ(agent_.SyncOnce(), absl::InfiniteDuration());
  EXPECT_EQ(scheduler_.requests().size(), calls);
}

TEST_F(AgentTest, ADrainingAgentGivesBackWhatIsUnfinishedAndTakesNothingNew) {
  listed_ = {kLease};
  agent_.SyncOnce();
  agent_.Drain(clock_.Now() + absl::Seconds(6));
  EXPECT_EQ(launcher_.jobs[kLease].stops, std::vector<StopReason>{StopReason::kReturned});
  agent_.OnReturned(kLease);
  agent_.OnOver(kLease);
  listed_ = {kLease, {"bld_b", 8}};
  agent_.SyncOnce();
  EXPECT_TRUE(LastRequest().draining());
  EXPECT_EQ(LastRequest().free_slots(), 0);
  EXPECT_TRUE(LastRequest().reports(0).returned());
  agent_.SyncOnce();
  EXPECT_EQ(launcher_.jobs.size(), 1u);
  EXPECT_TRUE(LastRequest().reports(1).returned());
}

}  // namespace
}  // namespace davit::builder_agent
