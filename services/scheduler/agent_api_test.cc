// Tests of the API for agents and of publishing to a real registry, over in-process channels on a real PostgreSQL.
#include <gmock/gmock.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "libs/http/client.h"
#include "libs/oci/manifest.h"
#include "libs/oci/registry_client.h"
#include "libs/oci/testing/test_registry.h"
#include "libs/rpc/client_context.h"
#include "services/scheduler/conversion.h"
#include "services/scheduler/service_fixture.h"

namespace davit::scheduler {
namespace {

class AgentApiTest : public ServiceFixture {
 protected:
  void SetUp() override { Start(); }

  void Cancel(const std::string& id) {
    grpc::ClientContext context;
    v1::CancelBuildRequest request;
    request.set_id(id);
    v1::CancelBuildResponse response;
    const grpc::Status status = client_->CancelBuild(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
};

TEST_F(AgentApiTest, AParkedAgentIsWokenByABuildAndItsCredentialsAreGranted) {
  v1::Lease lease;
  std::thread waiting([&] { lease = TakeOne(); });
  const v1::Build build = Create();
  waiting.join();
  EXPECT_EQ(lease.build_id(), build.id());
  EXPECT_EQ(lease.desired(), v1::Lease::DESIRED_RUN);
  EXPECT_EQ(lease.spec().git().commit(), FakeTokenRegistry::kCommit);
  EXPECT_EQ(lease.attempt(), 1);
  EXPECT_EQ(lease.project(), "p1");
  EXPECT_EQ(token_registry_.GrantedFence(build.id()), lease.fence());
}

TEST_F(AgentApiTest, AnIdleAgentIsAnsweredAfterItsWait) {
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({}, absl::Milliseconds(50), response).ok());
  EXPECT_EQ(response.leases_size(), 0);
  EXPECT_FALSE(response.agent_id().empty());
}

TEST_F(AgentApiTest, ALostAnswerIsGivenAgainAndALeaseThatIsHeldComesWithoutItsSpec) {
  Create();
  const v1::Lease lease = TakeOne();
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({}, absl::Seconds(10), response).ok());
  ASSERT_EQ(response.leases_size(), 1);
  EXPECT_EQ(response.leases(0).fence(), lease.fence());
  EXPECT_TRUE(response.leases(0).has_spec());
  ASSERT_TRUE(Synchronize({Holding(lease)}, absl::Seconds(10), response).ok());
  ASSERT_EQ(response.leases_size(), 1);
  EXPECT_FALSE(response.leases(0).has_spec());
  EXPECT_EQ(FromProto(response.next_sync_in()), absl::Seconds(1));
  EXPECT_EQ(Get(lease.build_id()).phase(), v1::BUILD_PHASE_BUILDING);
}

TEST_F(AgentApiTest, ABuildWhoseCredentialsCannotBeGrantedGoesBackWithoutAnAttempt) {
  token_registry_.SetGrantStatus({grpc::StatusCode::UNAVAILABLE, "restarting"});
  const v1::Build build = Create();
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({}, absl::Seconds(10), response).ok());
  EXPECT_EQ(response.leases_size(), 0);
  EXPECT_EQ(Get(build.id()).attempts_size(), 0);
  token_registry_.SetGrantStatus(grpc::Status::OK);
  EXPECT_EQ(TakeOne().attempt(), 1);
}

TEST_F(AgentApiTest, ABuildWhoseConnectionIsGoneFails) {
  token_registry_.SetGrantStatus({grpc::StatusCode::NOT_FOUND, "no such connection"});
  const v1::Build build = Create();
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({}, absl::Seconds(10), response).ok());
  EXPECT_EQ(response.leases_size(), 0);
  const v1::Build failed = Await(build.id(), v1::BUILD_STATE_FAILED);
  EXPECT_EQ(failed.failure().failure_class(), v1::FAILURE_CLASS_USER);
}

TEST_F(AgentApiTest, ACancellationReachesTheAgentAndItsReportEndsTheBuild) {
  const v1::Build build = Create();
  const v1::Lease lease = TakeOne();
  Cancel(build.id());
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({Holding(lease)}, {}, response).ok());
  ASSERT_EQ(response.leases_size(), 1);
  EXPECT_EQ(response.leases(0).desired(), v1::Lease::DESIRED_CANCEL);
  v1::LeaseReport report = Holding(lease);
  report.mutable_result()->set_outcome(v1::BuildAttempt::OUTCOME_CANCELLED);
  ASSERT_TRUE(Synchronize({report}, {}, response).ok());
  EXPECT_EQ(response.leases_size(), 0);
  EXPECT_EQ(Get(build.id()).state(), v1::BUILD_STATE_CANCELLED);
  // A list can show how far it came.
  EXPECT_EQ(Get(build.id()).phase(), v1::BUILD_PHASE_BUILDING);
}

TEST_F(AgentApiTest, AStaleHolderChangesNothingAndIsToldTheFence) {
  const v1::Build build = Create();
  const v1::Lease lost = TakeOne();
  Sql("update build_leases set expires_at = now() - interval '1 second'");
  const v1::Lease again = TakeOne();
  EXPECT_EQ(again.build_id(), build.id());
  EXPECT_GT(again.fence(), lost.fence());
  const grpc::Status stale = Append(lost, 0, "late");
  EXPECT_EQ(stale.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(stale.error_message(), absl::StrCat("lease superseded by fence ", again.fence()));
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({Failed(lost, v1::FAILURE_CLASS_USER, "late"), Holding(again)}, {}, response).ok());
  ASSERT_EQ(response.leases_size(), 1);
  EXPECT_EQ(response.leases(0).fence(), again.fence());
  EXPECT_EQ(Get(build.id()).state(), v1::BUILD_STATE_RUNNING);
}

TEST_F(AgentApiTest, ANewProcessOfTheAgentReplacesTheOldOne) {
  Create();
  const v1::Lease lease = TakeOne();
  const std::string old_session = session_;
  session_ = "ses_01jgfjh3zdf2mvq8r6kq8c0v4y";
  started_session_ = false;
  const v1::Lease again = TakeOne();
  EXPECT_EQ(again.build_id(), lease.build_id());
  EXPECT_EQ(again.attempt(), 2);
  session_ = old_session;
  v1::SynchronizeResponse response;
  const grpc::Status status = Synchronize({Holding(lease)}, {}, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "session superseded");
}

TEST_F(AgentApiTest, AnAgentThatIsDrainedIsToldSoAndGetsNothing) {
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({}, {}, response).ok());
  grpc::ClientContext context;
  v1::DrainAgentRequest request;
  request.set_id(response.agent_id());
  v1::DrainAgentResponse drained;
  ASSERT_TRUE(admin_->DrainAgent(&context, request, &drained).ok());
  EXPECT_EQ(drained.agent().state(), v1::Agent::STATE_DRAINING);
  Create();
  ASSERT_TRUE(Synchronize({}, absl::Milliseconds(100), response).ok());
  EXPECT_TRUE(response.draining());
  EXPECT_EQ(response.leases_size(), 0);
  grpc::ClientContext undrain_context;
  v1::UndrainAgentRequest undrain;
  undrain.set_id(response.agent_id());
  v1::UndrainAgentResponse undrained;
  ASSERT_TRUE(admin_->UndrainAgent(&undrain_context, undrain, &undrained).ok());
  TakeOne();
  grpc::ClientContext list_context;
  v1::ListAgentsResponse agents;
  ASSERT_TRUE(viewer_->ListAgents(&list_context, {}, &agents).ok());
  ASSERT_EQ(agents.agents_size(), 1);
  EXPECT_EQ(agents.agents(0).build_ids_size(), 1);
}

TEST_F(AgentApiTest, NothingIsLostWhenTheSchedulerIsRestarted) {
  const v1::Build build = Create();
  const v1::Lease lease = TakeOne();
  ASSERT_TRUE(Append(lease, 0, "before ").ok());
  Stop();
  Start();
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({Holding(lease)}, {}, response).ok());
  ASSERT_EQ(response.leases_size(), 1);
  int64_t stored = 0;
  ASSERT_TRUE(Append(lease, 0, "before after", &stored).ok());
  EXPECT_EQ(stored, 12);
  EXPECT_EQ(Get(build.id()).attempts_size(), 1);
}

TEST_F(AgentApiTest, NothingIsLostWhenTheDatabaseEndsItsConnections) {
  const v1::Build build = Create();
  const v1::Lease lease = TakeOne();
  ASSERT_TRUE(Append(lease, 0, "before ").ok());
  database_.BreakConnections();
  // The first calls may hit broken connections; an agent repeats them.
  v1::SynchronizeResponse response;
  for (int call = 0; call < 20 && !Synchronize({Holding(lease)}, {}, response).ok(); ++call) {
  }
  ASSERT_EQ(response.leases_size(), 1);
  int64_t stored = 0;
  for (int call = 0; call < 20 && !Append(lease, 0, "before after", &stored).ok(); ++call) {
  }
  EXPECT_EQ(stored, 12);
  EXPECT_EQ(Get(build.id()).attempts_size(), 1);
}

TEST_F(AgentApiTest, AFailureMessageThatCannotBeStoredAsItIsIsCutToWhatCan) {
  const v1::Build build = Create();
  const v1::Lease lease = TakeOne();
  v1::SynchronizeResponse response;
  const std::string message = std::string("nul \0 ", 6) + std::string(4089, 'x') + "\xC3\xA4";
  ASSERT_TRUE(Synchronize({Failed(lease, v1::FAILURE_CLASS_USER, message)}, {}, response).ok());
  EXPECT_EQ(response.leases_size(), 0);
  EXPECT_EQ(Get(build.id()).failure().message(), "nul  " + std::string(4089, 'x'));
}

// Publishing to a real registry.
class PublishTest : public AgentApiTest {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<oci::testing::TestRegistry>> registry = oci::testing::TestRegistry::Start();
    ASSERT_TRUE(registry.ok()) << registry.status();
    registry_ = *std::move(registry);
    http_ =
        std::make_unique<http::Client>(http::ClientOptions{.policy = *http::AddressPolicy::Create({{"127.0.0.1"}})});
    client_of_registry_ = std::make_unique<oci::RegistryClient>(
        *http_, oci::RegistryClientOptions{.registry = registry_->address(), .credential = {}});
    Start();
  }

  // Pushes an index without images, which is all that a tag needs, and returns its digest.
  std::string Push(const std::string& name) {
    const oci::Manifest manifest = oci::Manifest::FromBytes(
        oci::kOciIndex, absl::StrCat(R"({"schemaVersion":2,"mediaType":")", oci::kOciIndex,
                                     R"(","manifests":[],"annotations":{"name":")", name, R"("}})"));
    const absl::Status pushed = client_of_registry_->PutManifest("team/app", manifest.digest, manifest);
    EXPECT_TRUE(pushed.ok()) << pushed;
    return manifest.digest;
  }

  // Makes a build and gives it to the agent.
  v1::Lease Run(const std::vector<std::string>& tags) {
    v1::CreateBuildRequest request = BuildRequest();
    request.mutable_spec()->mutable_destination()->set_repository(absl::StrCat(registry_->address(), "/team/app"));
    request.mutable_spec()->mutable_tags()->Assign(tags.begin(), tags.end());
    const v1::Build build = Create(request);
    const v1::Lease lease = TakeOne();
    EXPECT_EQ(lease.build_id(), build.id());
    return lease;
  }

  std::string DigestOf(const std::string& tag) {
    const absl::StatusOr<oci::Descriptor> descriptor = client_of_registry_->HeadManifest("team/app", tag);
    return descriptor.ok() ? descriptor->digest : std::string(descriptor.status().message());
  }

  void Report(const v1::LeaseReport& report) {
    v1::SynchronizeResponse response;
    const grpc::Status status = Synchronize({report}, {}, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  std::unique_ptr<oci::testing::TestRegistry> registry_;
  std::unique_ptr<http::Client> http_;
  std::unique_ptr<oci::RegistryClient> client_of_registry_;
};

TEST_F(PublishTest, TagsAndTheImmutableTagAreSetAndTheGrantEnds) {
  const v1::Lease lease = Run({"latest", "v1"});
  const std::string digest = Push("one");
  Report(Succeeded(lease, digest));
  const v1::Build build = Await(lease.build_id(), v1::BUILD_STATE_SUCCEEDED);
  EXPECT_EQ(build.image_digest(), digest);
  ASSERT_EQ(build.tag_results_size(), 2);
  EXPECT_TRUE(build.tag_results(0).set());
  EXPECT_EQ(DigestOf("latest"), digest);
  EXPECT_EQ(DigestOf("v1"), digest);
  EXPECT_EQ(DigestOf(build.id()), digest);
}

TEST_F(PublishTest, AnOlderBuildThatIsFinishedLaterDoesNotMoveTheTagBack) {
  const v1::Lease older = Run({"latest"});
  Sql("update build_leases set expires_at = now() + interval '1 hour'");
  session_ = "ses_01jgfjh3zdf2mvq8r6kq8c0v4z";
  started_session_ = false;
  // The agent's new process gives the older build up; the newer one is finished first.
  const std::string newer_digest = Push("newer");
  v1::SynchronizeResponse response;
  const v1::Lease again = TakeOne();
  ASSERT_EQ(again.build_id(), older.build_id());
  v1::CreateBuildRequest request = BuildRequest();
  request.mutable_spec()->mutable_destination()->set_repository(absl::StrCat(registry_->address(), "/team/app"));
  const v1::Build newer = Create(request);
  v1::LeaseReport returned = Holding(again);
  returned.set_returned(true);
  Sql(absl::StrCat("update build_queue set priority = -1 where build_id = '", newer.id(), "'"));
  Report(returned);
  const v1::Lease newer_lease = TakeOne();
  ASSERT_EQ(newer_lease.build_id(), newer.id());
  Report(Succeeded(newer_lease, newer_digest));
  Await(newer.id(), v1::BUILD_STATE_SUCCEEDED);
  const v1::Lease last = TakeOne();
  ASSERT_EQ(last.build_id(), older.build_id());
  const std::string older_digest = Push("older");
  Report(Succeeded(last, older_digest));
  const v1::Build superseded = Await(older.build_id(), v1::BUILD_STATE_SUPERSEDED);
  EXPECT_EQ(superseded.image_digest(), older_digest);
  EXPECT_FALSE(superseded.tag_results(0).set());
  EXPECT_EQ(DigestOf("latest"), newer_digest);
  EXPECT_EQ(DigestOf(older.build_id()), older_digest);
}

TEST_F(PublishTest, AnImageThatIsNotInTheRegistryFailsTheBuild) {
  const v1::Lease lease = Run({"latest"});
  Report(Succeeded(lease, "sha256:" + std::string(64, '0')));
  const v1::Build build = Await(lease.build_id(), v1::BUILD_STATE_FAILED);
  EXPECT_EQ(build.failure().failure_class(), v1::FAILURE_CLASS_USER);
}

}  // namespace
}  // namespace davit::scheduler
