// Tests of the API for clients, over in-process channels on a real PostgreSQL.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "libs/rpc/client_context.h"
#include "services/scheduler/service_fixture.h"

namespace davit::scheduler {
namespace {

using ::testing::StartsWith;

class ClientApiTest : public ServiceFixture {
 protected:
  void SetUp() override { Start(); }

  // The status of CreateBuild by `stub`.
  grpc::Status Status(v1::Scheduler::Stub& stub, const v1::CreateBuildRequest& request) {
    grpc::ClientContext context;
    v1::CreateBuildResponse response;
    return stub.CreateBuild(&context, request, &response);
  }
};

TEST_F(ClientApiTest, ABranchIsResolvedWhenTheBuildIsMade) {
  const v1::Build build = Create();
  EXPECT_EQ(build.spec().git().commit(), FakeTokenRegistry::kCommit);
  EXPECT_EQ(build.spec().git().ref(), "refs/heads/main");
  EXPECT_EQ(build.spec().recipe().dockerfile_path(), "Dockerfile");
  EXPECT_EQ(build.project(), "p1");
  EXPECT_EQ(build.origin().requested_by(), "developer");
  EXPECT_EQ(build.state(), v1::BUILD_STATE_QUEUED);
  EXPECT_EQ(Get(build.id()).transitions_size(), 1);
}

TEST_F(ClientApiTest, ARepeatedRequestIsNotResolvedAgain) {
  v1::CreateBuildRequest request = BuildRequest();
  request.set_request_id("push 1");
  const v1::Build first = Create(request);
  const int calls = token_registry_.commit_calls();
  grpc::ClientContext context;
  v1::CreateBuildResponse response;
  ASSERT_TRUE(client_->CreateBuild(&context, request, &response).ok());
  EXPECT_TRUE(response.duplicate());
  EXPECT_EQ(response.build().id(), first.id());
  EXPECT_EQ(token_registry_.commit_calls(), calls);
  request.mutable_spec()->add_tags("other");
  EXPECT_EQ(Status(*client_, request).error_code(), grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(ClientApiTest, WrongInputIsRefusedWithTheField) {
  v1::CreateBuildRequest request = BuildRequest();
  request.mutable_spec()->mutable_recipe()->set_dockerfile_path("../../etc/passwd");
  grpc::Status status = Status(*client_, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), StartsWith("spec.recipe.dockerfile_path: path leaves the repository"));
  request = BuildRequest();
  request.mutable_policy()->set_priority(101);
  EXPECT_THAT(Status(*client_, request).error_message(), StartsWith("policy.priority: "));
  request = BuildRequest();
  request.mutable_spec()->mutable_recipe()->add_secrets()->set_id("gone");
  status = Status(*client_, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "spec.recipe.secrets[0].secret: no secret \"gone\"");
  request = BuildRequest();
  request.mutable_spec()->mutable_git()->set_ref("gone");
  status = Status(*client_, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "spec.git: revision not found: gone");
  request = BuildRequest();
  request.mutable_spec()->mutable_destination()->set_registry_credential_id("rcr_01jgfjh3zdf2mvq8r6kq8c0v4x");
  EXPECT_EQ(Status(*client_, request).error_code(), grpc::StatusCode::NOT_FOUND);
  request = BuildRequest();
  request.mutable_spec()->mutable_upload()->set_upload_id("upl_01jgfjh3zdf2mvq8r6kq8c0v4x");
  EXPECT_THAT(Status(*client_, request).error_message(), StartsWith("spec.upload.upload_id: "));
}

TEST_F(ClientApiTest, ANewerBuildOfAGroupSupersedesAndARetrySupersedesNothing) {
  v1::CreateBuildRequest request = BuildRequest();
  request.mutable_policy()->set_supersede(davit::common::v1::SUPERSEDE_POLICY_SKIP_QUEUED);
  request.mutable_policy()->set_concurrency_group("deploy");
  request.mutable_policy()->set_priority(3);
  const v1::Build first = Create(request);
  EXPECT_EQ(first.policy().priority(), 3);
  const v1::Build second = Create(request);
  const v1::Build superseded = Get(first.id());
  EXPECT_EQ(superseded.state(), v1::BUILD_STATE_SUPERSEDED);
  EXPECT_EQ(superseded.superseded_by(), second.id());

  grpc::ClientContext context;
  v1::RetryBuildRequest retry;
  retry.set_id(first.id());
  v1::RetryBuildResponse retried;
  ASSERT_TRUE(client_->RetryBuild(&context, retry, &retried).ok());
  EXPECT_EQ(retried.build().policy().priority(), 3);
  EXPECT_EQ(Get(second.id()).state(), v1::BUILD_STATE_QUEUED);
  // But a newer one supersedes both.
  Create(request);
  EXPECT_EQ(Get(second.id()).state(), v1::BUILD_STATE_SUPERSEDED);
  EXPECT_EQ(Get(retried.build().id()).state(), v1::BUILD_STATE_SUPERSEDED);
}

TEST_F(ClientApiTest, RolesAndProjectsAreKeptApart) {
  const v1::Build build = Create();
  EXPECT_EQ(Status(*viewer_, BuildRequest()).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  grpc::ClientContext context;
  v1::GetBuildRequest request;
  request.set_id(build.id());
  v1::GetBuildResponse response;
  EXPECT_EQ(stranger_->GetBuild(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  grpc::ClientContext drain_context;
  v1::DrainAgentResponse drained;
  EXPECT_EQ(client_->DrainAgent(&drain_context, {}, &drained).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(ClientApiTest, ListsInPages) {
  for (int i = 0; i < 3; ++i) Create();
  v1::ListBuildsRequest request;
  request.set_page_size(2);
  v1::ListBuildsResponse response;
  grpc::ClientContext first;
  ASSERT_TRUE(viewer_->ListBuilds(&first, request, &response).ok());
  EXPECT_EQ(response.builds_size(), 2);
  request.set_page_token(response.next_page_token());
  grpc::ClientContext second;
  ASSERT_TRUE(viewer_->ListBuilds(&second, request, &response).ok());
  EXPECT_EQ(response.builds_size(), 1);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(ClientApiTest, AWaitingBuildIsExplainedCancelledAndRepeated) {
  const v1::Build build = Create();
  v1::ExplainQueueRequest explain;
  explain.set_build_id(build.id());
  v1::ExplainQueueResponse explanation;
  grpc::ClientContext explain_context;
  ASSERT_TRUE(viewer_->ExplainQueue(&explain_context, explain, &explanation).ok());
  EXPECT_EQ(explanation.reason(), v1::ExplainQueueResponse::REASON_NO_AGENT);

  v1::RetryBuildRequest retry;
  retry.set_id(build.id());
  v1::RetryBuildResponse retried;
  grpc::ClientContext early;
  EXPECT_EQ(client_->RetryBuild(&early, retry, &retried).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  v1::CancelBuildRequest cancel;
  cancel.set_id(build.id());
  v1::CancelBuildResponse cancelled;
  grpc::ClientContext cancel_context;
  ASSERT_TRUE(client_->CancelBuild(&cancel_context, cancel, &cancelled).ok());
  EXPECT_EQ(cancelled.build().state(), v1::BUILD_STATE_CANCELLED);
  grpc::ClientContext retry_context;
  ASSERT_TRUE(client_->RetryBuild(&retry_context, retry, &retried).ok());
  EXPECT_EQ(retried.build().origin().retry_of(), build.id());
  EXPECT_EQ(retried.build().spec().git().commit(), FakeTokenRegistry::kCommit);
}

TEST_F(ClientApiTest, AWatcherSeesEveryStateUntilTheEnd) {
  const v1::Build build = Create();
  grpc::ClientContext context;
  rpc::SetDeadline(context, absl::Seconds(30));
  v1::WatchBuildRequest request;
  request.set_id(build.id());
  const auto stream = viewer_->WatchBuild(&context, request);
  v1::WatchBuildResponse seen;
  ASSERT_TRUE(stream->Read(&seen));
  EXPECT_EQ(seen.build().state(), v1::BUILD_STATE_QUEUED);
  const v1::Lease lease = TakeOne();
  while (stream->Read(&seen) && seen.build().state() == v1::BUILD_STATE_QUEUED) {
  }
  EXPECT_EQ(seen.build().state(), v1::BUILD_STATE_RUNNING);
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({Failed(lease, v1::FAILURE_CLASS_USER, "step 2 exited 1")}, {}, response).ok());
  while (stream->Read(&seen)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(seen.build().state(), v1::BUILD_STATE_FAILED);
  EXPECT_EQ(seen.build().failure().message(), "step 2 exited 1");
}

TEST_F(ClientApiTest, ALogIsFollowedOverAttemptsToItsEnd) {
  const v1::Build build = Create();
  std::string text;
  std::vector<std::pair<int, bool>> ends;
  v1::ReadLogRequest request;
  request.set_build_id(build.id());
  request.set_follow(true);
  grpc::ClientContext context;
  rpc::SetDeadline(context, absl::Seconds(30));
  const auto stream = viewer_->ReadLog(&context, request);
  const auto read_until = [&](const auto& enough) {
    v1::ReadLogResponse piece;
    while (!enough() && stream->Read(&piece)) {
      absl::StrAppend(&text, piece.data());
      if (piece.end_of_attempt()) ends.push_back({piece.attempt(), piece.complete()});
    }
  };
  const v1::Lease first = TakeOne();
  ASSERT_TRUE(Append(first, 0, "first ").ok());
  read_until([&] { return text == "first "; });
  v1::SynchronizeResponse response;
  ASSERT_TRUE(Synchronize({Failed(first, v1::FAILURE_CLASS_INFRASTRUCTURE, "registry away")}, {}, response).ok());
  const v1::Lease second = TakeOne();
  EXPECT_GT(second.fence(), first.fence());
  EXPECT_EQ(second.attempt(), 2);
  ASSERT_TRUE(Append(second, 0, "second").ok());
  v1::LeaseReport end = Failed(second, v1::FAILURE_CLASS_USER, "no");
  end.mutable_result()->set_log_size(6);
  ASSERT_TRUE(Synchronize({end}, {}, response).ok());
  read_until([] { return false; });
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(text, "first second");
  EXPECT_EQ(ends, (std::vector<std::pair<int, bool>>{{1, true}, {2, true}}));

  request.set_follow(false);
  request.set_offset(100);
  grpc::ClientContext beyond;
  const auto late = viewer_->ReadLog(&beyond, request);
  v1::ReadLogResponse piece;
  EXPECT_FALSE(late->Read(&piece));
  EXPECT_EQ(late->Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(ClientApiTest, AnUploadIsStoredAndReadByItsAgent) {
  grpc::ClientContext context;
  v1::UploadContextResponse uploaded;
  const auto writer = client_->UploadContext(&context, &uploaded);
  v1::UploadContextRequest part;
  part.mutable_header()->set_format(v1::UPLOAD_FORMAT_TAR);
  part.mutable_header()->set_file_name("context.tar");
  ASSERT_TRUE(writer->Write(part));
  const std::string megabyte(1 << 20, 'x');
  part.set_data(megabyte);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(writer->Write(part));
  part.set_data("tail");
  ASSERT_TRUE(writer->Write(part));
  ASSERT_TRUE(writer->WritesDone());
  const grpc::Status status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(uploaded.upload().size(), 3 * (1 << 20) + 4);
  EXPECT_THAT(uploaded.upload().digest(), StartsWith("sha256:"));

  v1::CreateBuildRequest request = BuildRequest();
  request.mutable_spec()->mutable_upload()->set_upload_id(uploaded.upload().id());
  const v1::Build build = Create(request);
  const v1::Lease lease = TakeOne();
  EXPECT_EQ(lease.upload().file_name(), "context.tar");
  v1::ReadUploadRequest read;
  read.set_build_id(build.id());
  read.set_fence(lease.fence());
  grpc::ClientContext read_context;
  const auto reader = agent_->ReadUpload(&read_context, read);
  std::string bytes;
  v1::ReadUploadResponse chunk;
  while (reader->Read(&chunk)) bytes += chunk.data();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(bytes, megabyte + megabyte + megabyte + "tail");
  read.set_fence(lease.fence() - 1);
  grpc::ClientContext stale_context;
  const auto stale = agent_->ReadUpload(&stale_context, read);
  EXPECT_FALSE(stale->Read(&chunk));
  EXPECT_EQ(stale->Finish().error_message(), absl::StrCat("lease superseded by fence ", lease.fence()));
}

class UploadLimitTest : public ClientApiTest {
 protected:
  void SetUp() override {
    options_.max_upload_size = 1 << 20;
    Start();
  }
};

TEST_F(UploadLimitTest, AnUploadOverTheLimitIsRefusedAndNotKept) {
  grpc::ClientContext context;
  v1::UploadContextResponse uploaded;
  const auto writer = client_->UploadContext(&context, &uploaded);
  v1::UploadContextRequest part;
  part.mutable_header()->set_format(v1::UPLOAD_FORMAT_DOCKERFILE);
  writer->Write(part);
  part.set_data(std::string(1 << 20, 'x'));
  writer->Write(part);
  part.set_data("x");
  writer->Write(part);
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "context over the limit 1 MiB");
  EXPECT_EQ(Sql("select count(*) from uploads"), "0");
}

}  // namespace
}  // namespace davit::scheduler
