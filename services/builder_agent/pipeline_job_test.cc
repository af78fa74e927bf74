// Tests of services/builder_agent/pipeline_job.h: real threads and files, fakes for everything outside.
#include "services/builder_agent/pipeline_job.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "absl/strings/match.h"
#include "services/builder_agent/testing/fake_clients.h"
#include "services/builder_agent/testing/fake_parts.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

class RecordingObserver final : public JobObserver {
 public:
  void OnPhase(const LeaseKey&, proto::BuildPhase) override {}
  void OnResult(const LeaseKey&, proto::BuildResult told) override { result = told; }
  void OnReturned(const LeaseKey&) override { returned = true; }
  void OnOver(const LeaseKey&) override { over.Notify(); }

  // Read after `over`.
  std::optional<proto::BuildResult> result;
  bool returned = false;
  absl::Notification over;
};

class PipelineJobTest : public ::testing::Test {
 protected:
  PipelineJobTest()
      : pipeline_({credentials_, commits_, uploads_, builder_, annotator_, clock_}, {"agent-1", {}}),
        launcher_(pipeline_, scheduler_, clock_, Logger::Discarding(), {Directory(), 1 << 20}) {
    lease_.set_build_id("bld_a");
    lease_.set_fence(7);
    lease_.mutable_spec()->mutable_git()->set_commit("c0ffee");
    lease_.mutable_spec()->mutable_destination()->set_repository("r:5000/app");
  }

  static std::string Directory() {
    const std::string directory = ::testing::TempDir() + "/jobs";
    std::filesystem::create_directories(directory);
    return directory;
  }

  // Begins a build that goes on until it is stopped.
  std::unique_ptr<Job> LaunchWaiting() {
    builder_.waits = true;
    std::unique_ptr<Job> job = launcher_.Launch(lease_, observer_);
    builder_.began.WaitForNotification();
    return job;
  }

  RealClock clock_;
  FakeCredentials credentials_;
  FakeFetcher commits_;
  FakeFetcher uploads_;
  FakeBuilder builder_;
  FakeAnnotator annotator_;
  FakeScheduler scheduler_;
  BuildPipeline pipeline_;
  PipelineJobLauncher launcher_;
  RecordingObserver observer_;
  proto::Lease lease_;
};

TEST_F(PipelineJobTest, TheWholeLogIsStoredBeforeTheResultIsTold) {
  const std::unique_ptr<Job> job = launcher_.Launch(lease_, observer_);
  observer_.over.WaitForNotification();
  ASSERT_TRUE(observer_.result.has_value());
  EXPECT_EQ(observer_.result->outcome(), proto::BuildAttempt::OUTCOME_SUCCEEDED);
  EXPECT_EQ(observer_.result->log_size(), static_cast<int64_t>(scheduler_.log().size()));
  EXPECT_TRUE(absl::StrContains(scheduler_.log(), "Built r:5000/app@sha256:aa")) << scheduler_.log();
}

TEST_F(PipelineJobTest, ACancelledBuildSaysSo) {
  const std::unique_ptr<Job> job = LaunchWaiting();
  job->Stop(StopReason::kCancelled);
  observer_.over.WaitForNotification();
  EXPECT_EQ(observer_.result->outcome(), proto::BuildAttempt::OUTCOME_CANCELLED);
  EXPECT_TRUE(absl::EndsWith(scheduler_.log(), "Cancelled\n")) << scheduler_.log();
}

TEST_F(PipelineJobTest, ABuildOverItsTimeIsTimedOut) {
  lease_.mutable_spec()->mutable_recipe()->mutable_timeout()->set_nanos(50'000'000);
  const std::unique_ptr<Job> job = LaunchWaiting();
  observer_.over.WaitForNotification();
  EXPECT_EQ(observer_.result->outcome(), proto::BuildAttempt::OUTCOME_TIMED_OUT);
  EXPECT_EQ(observer_.result->failure().message(), "timed out after 50ms");
  EXPECT_TRUE(absl::EndsWith(scheduler_.log(), "ERROR: timed out after 50ms\n")) << scheduler_.log();
}

TEST_F(PipelineJobTest, AReturnedBuildHasNoResult) {
  const std::unique_ptr<Job> job = LaunchWaiting();
  job->Stop(StopReason::kReturned);
  observer_.over.WaitForNotification();
  EXPECT_TRUE(observer_.returned);
  EXPECT_FALSE(observer_.result.has_value());
}

TEST_F(PipelineJobTest, AForgottenBuildSaysNothingEvenWhileTheSchedulerIsAway) {
  scheduler_.FailAppends(std::vector<absl::Status>(1000, absl::UnavailableError("away")));
  std::unique_ptr<Job> job = LaunchWaiting();
  job.reset();
  EXPECT_TRUE(observer_.over.HasBeenNotified());
  EXPECT_FALSE(observer_.result.has_value());
  EXPECT_TRUE(std::filesystem::is_empty(Directory()));
}

}  // namespace
}  // namespace davit::builder_agent
