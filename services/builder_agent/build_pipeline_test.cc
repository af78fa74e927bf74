// Tests of services/builder_agent/build_pipeline.h with fakes for everything outside.
#include "services/builder_agent/build_pipeline.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "libs/clock/testing/fake_clock.h"
#include "services/builder_agent/testing/fake_parts.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

class BuildPipelineTest : public ::testing::Test {
 protected:
  BuildPipelineTest()
      : spool_(*LogSpool::Create(::testing::TempDir() + "/pipeline.log", 1 << 20)),
        log_(*spool_),
        pipeline_({credentials_, commits_, uploads_, builder_, annotator_, clock_}, {"agent-1", {"r:5000"}}) {
    lease_.set_build_id("bld_a");
    lease_.set_fence(7);
    lease_.mutable_spec()->mutable_git()->set_commit("c0ffee");
    lease_.mutable_spec()->mutable_git()->set_ref("refs/heads/main");
    lease_.mutable_spec()->mutable_destination()->set_repository("r:5000/app");
  }

  proto::BuildResult Run() {
    return pipeline_.Run({.lease = lease_,
                          .log = log_,
                          .work_prefix = ::testing::TempDir(),
                          .on_phase = [this](proto::BuildPhase phase) { phases_.push_back(phase); },
                          .stop = stop_.get_token()});
  }
  std::string Log() { return *spool_->Read(0, 1 << 20); }

  FakeClock clock_;
  FakeCredentials credentials_;
  FakeFetcher commits_;
  FakeFetcher uploads_;
  FakeBuilder builder_;
  FakeAnnotator annotator_;
  std::unique_ptr<LogSpool> spool_;
  BuildLog log_;
  BuildPipeline pipeline_;
  proto::Lease lease_;
  std::stop_source stop_;
  std::vector<proto::BuildPhase> phases_;
};

TEST_F(BuildPipelineTest, ABuildEndsWithTheAnnotatedDigestAndALogThatTellsIt) {
  const proto::BuildResult result = Run();
  EXPECT_EQ(result.outcome(), proto::BuildAttempt::OUTCOME_SUCCEEDED) << result.DebugString();
  EXPECT_EQ(result.image_digest(), "sha256:aa");
  EXPECT_EQ(phases_, (std::vector<proto::BuildPhase>{proto::BUILD_PHASE_FETCHING, proto::BUILD_PHASE_BUILDING,
                                                     proto::BUILD_PHASE_PUSHING}));
  EXPECT_TRUE(absl::StrContains(Log(), "Commit: c0ffee of refs/heads/main")) << Log();
  EXPECT_TRUE(absl::StrContains(Log(), "Built r:5000/app@sha256:aa")) << Log();
  EXPECT_EQ(builder_.seen.image, "r:5000/app:bld_a");
  EXPECT_EQ(annotator_.image, "r:5000/app:bld_a");
  EXPECT_EQ(annotator_.digest, "sha256:pushed");
  EXPECT_EQ(annotator_.username, "u");
  EXPECT_EQ(annotator_.annotations.count("org.opencontainers.image.source"), 1u);
  EXPECT_TRUE(builder_.seen.plain_http);
  ASSERT_EQ(builder_.seen.accounts.size(), 1u);
  EXPECT_EQ(builder_.seen.accounts[0].host, "r:5000");
}

TEST_F(BuildPipelineTest, DavitsOwnArgumentsArePassedOnlyWhenTheyAreDeclared) {
  Run();
  EXPECT_EQ(builder_.seen.build_args, (std::map<std::string, std::string>{{"DAVIT_COMMIT", "c0ffee"}}));
}

TEST_F(BuildPipelineTest, SecretsAreNotInTheLog) {
  Run();
  EXPECT_FALSE(absl::StrContains(Log(), "git-token-1234")) << Log();
  EXPECT_TRUE(absl::StrContains(Log(), "output ***")) << Log();
}

TEST_F(BuildPipelineTest, ABuildSecretReachesTheBuilderUnderTheRecipesIdAndNotTheLog) {
  common::v1::RecipeSecret& wanted = *lease_.mutable_spec()->mutable_recipe()->add_secrets();
  wanted.set_id("npm");
  wanted.set_secret("npm-token");
  credentials_.secrets = {{"npm-token", "first line of it\nthe second line\nshort\n"}};
  Run();
  ASSERT_EQ(builder_.seen.secrets.size(), 1u);
  EXPECT_EQ(builder_.seen.secrets[0].id, "npm");
  EXPECT_EQ(builder_.seen.secrets[0].value.Reveal(), "first line of it\nthe second line\nshort\n");
  // Each line alone is masked, too; what is as short as a word is not.
  EXPECT_EQ(log_.Mask("echo the second line, short"), "echo ***, short");
  EXPECT_EQ(log_.Mask("first line of it\nthe second line\nshort"), "***");
}

TEST_F(BuildPipelineTest, ASecretThatWasNotIssuedIsNamed) {
  lease_.mutable_spec()->mutable_recipe()->add_secrets()->set_secret("npm-token");
  const proto::BuildResult result = Run();
  EXPECT_EQ(result.failure().failure_class(), proto::FAILURE_CLASS_USER);
  EXPECT_TRUE(absl::StrContains(result.failure().message(), "no secret \"npm-token\"")) << result.failure().message();
}

TEST_F(BuildPipelineTest, AFailingStepIsTheUsersFault) {
  builder_.step_error = "executor failed running [/bin/sh -c exit 42]: exit code: 42";
  builder_.error = absl::FailedPreconditionError(builder_.step_error);
  const proto::BuildResult result = Run();
  EXPECT_EQ(result.failure().failure_class(), proto::FAILURE_CLASS_USER);
  EXPECT_TRUE(absl::StartsWith(result.failure().message(), "step 2 exited 42")) << result.failure().message();
  EXPECT_TRUE(absl::StrContains(Log(), "ERROR: step 2 exited 42")) << Log();
}

TEST_F(BuildPipelineTest, ABadDockerfileIsSaidBeforeBuildKitIsAsked) {
  commits_.dockerfile = "FROM scratch\nBOGUS x\n";
  EXPECT_EQ(Run().failure().message(), "line 2: unknown instruction BOGUS");
  EXPECT_EQ(builder_.seen.context, nullptr);
  commits_.dockerfile = "# nothing\n";
  EXPECT_EQ(Run().failure().message(), "Dockerfile has no instructions");
}

TEST_F(BuildPipelineTest, AnErrorOfTheSourceKeepsItsMessageAndItsClass) {
  commits_.error = absl::FailedPreconditionError("commit c0ffee is no longer reachable");
  EXPECT_EQ(Run().failure().message(), "commit c0ffee is no longer reachable");
  commits_.error = absl::UnavailableError("connection refused");
  EXPECT_EQ(Run().failure().failure_class(), proto::FAILURE_CLASS_INFRASTRUCTURE);
}

TEST_F(BuildPipelineTest, ATokenThatWasReplacedOnItsWayIsAskedForAgain) {
  credentials_.git_tokens = {"old-token-1234", "new-token-5678"};
  commits_.accepted = "new-token-5678";
  EXPECT_EQ(Run().outcome(), proto::BuildAttempt::OUTCOME_SUCCEEDED);
  EXPECT_EQ(commits_.calls, 2);
  commits_.accepted = "another-token";
  const proto::BuildResult refused = Run();
  EXPECT_EQ(refused.failure().failure_class(), proto::FAILURE_CLASS_USER);
  EXPECT_EQ(refused.failure().message(), "credential rejected by git.example.com (401)");
  EXPECT_EQ(commits_.calls, 3) << "the same token is not tried twice";
}

TEST_F(BuildPipelineTest, AnAbsentTokenRegistryIsAskedAgainAndIsNotTheUsersFault) {
  credentials_.error = absl::UnavailableError("away");
  EXPECT_EQ(Run().failure().failure_class(), proto::FAILURE_CLASS_INFRASTRUCTURE);
  EXPECT_EQ(credentials_.calls, 5);
  credentials_.error = absl::FailedPreconditionError("lease superseded by fence 9");
  EXPECT_EQ(Run().failure().failure_class(), proto::FAILURE_CLASS_INFRASTRUCTURE);
  EXPECT_EQ(credentials_.calls, 6);
}

TEST_F(BuildPipelineTest, AStoppedBuildIsCancelled) {
  stop_.request_stop();
  builder_.error = absl::CancelledError("stopped");
  EXPECT_EQ(Run().outcome(), proto::BuildAttempt::OUTCOME_CANCELLED);
}

}  // namespace
}  // namespace davit::builder_agent
