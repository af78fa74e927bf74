// Implements service_fixture.h.
#include "services/scheduler/service_fixture.h"

#include <grpcpp/channel.h>

#include <pqxx/pqxx>
#include <utility>

#include "absl/time/clock.h"
#include "libs/logging/logger.h"
#include "libs/rpc/client_context.h"
#include "services/scheduler/conversion.h"

namespace davit::scheduler {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(30);

}  // namespace

ServiceFixture::ServiceFixture() : database_("scheduler") {
  authenticator_.Add("developer", auth::Role::kDeveloper, "p1");
  authenticator_.Add("viewer", auth::Role::kViewer, "p1");
  authenticator_.Add("stranger", auth::Role::kDeveloper, "p2");
  authenticator_.Add("admin", auth::Role::kAdmin, auth::kAllProjects);
  authenticator_.Add("agent", auth::Role::kAgent, auth::kAllProjects);
  options_.owner_database = database_.owner_conninfo("scheduler");
  options_.database = database_.app_conninfo("scheduler");
  options_.threads = 6;
  options_.poll_interval = absl::Milliseconds(50);
  options_.reap_interval = absl::Milliseconds(50);
  options_.retry.initial_delay = absl::Milliseconds(20);
  options_.log_tail_grace = absl::ZeroDuration();
  options_.allowed_hosts = {"127.0.0.1"};
  token_registry_server_ = *rpc::Server::Start({}, {&token_registry_, &build_secrets_}, Logger::Discarding(), metrics_);
}

ServiceFixture::~ServiceFixture() { Stop(); }

void ServiceFixture::Start() {
  absl::StatusOr<std::unique_ptr<SchedulerApp>> app = SchedulerApp::Create(
      options_,
      {clock_, random_, Logger::Discarding(), metrics_, authenticator_, token_registry_server_->InProcessChannel({})});
  ASSERT_TRUE(app.ok()) << app.status();
  app_ = *std::move(app);
  absl::StatusOr<std::unique_ptr<rpc::Server>> server =
      rpc::Server::Start({}, app_->services(), Logger::Discarding(), metrics_);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  ASSERT_TRUE(app_->Start().ok());
  const auto channel = [this](const char* token) {
    return server_->InProcessChannel({.token = crypto::SecretString(token)});
  };
  client_ = v1::Scheduler::NewStub(channel("developer"));
  viewer_ = v1::Scheduler::NewStub(channel("viewer"));
  stranger_ = v1::Scheduler::NewStub(channel("stranger"));
  admin_ = v1::Scheduler::NewStub(channel("admin"));
  agent_ = v1::AgentService::NewStub(channel("agent"));
}

void ServiceFixture::Stop() {
  if (app_ == nullptr) return;
  const absl::Time deadline = absl::Now() + absl::Seconds(5);
  app_->Drain(deadline);
  if (server_ != nullptr) server_->Drain(deadline);
  for (auto* stub : {&client_, &viewer_, &stranger_, &admin_}) stub->reset();
  agent_.reset();
  server_.reset();
  app_.reset();
}

v1::CreateBuildRequest ServiceFixture::BuildRequest() {
  v1::CreateBuildRequest request;
  v1::BuildSpec& spec = *request.mutable_spec();
  spec.mutable_git()->set_connection_id(FakeTokenRegistry::kConnection);
  spec.mutable_git()->set_repository("team/app");
  spec.mutable_git()->set_ref("main");
  spec.mutable_destination()->set_repository("127.0.0.1:5000/team/app");
  spec.add_tags("latest");
  return request;
}

v1::Build ServiceFixture::Create(const v1::CreateBuildRequest& request) {
  grpc::ClientContext context;
  rpc::SetDeadline(context, kCallTimeout);
  v1::CreateBuildResponse response;
  const grpc::Status status = client_->CreateBuild(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.build();
}

v1::Build ServiceFixture::Get(const std::string& id) {
  grpc::ClientContext context;
  rpc::SetDeadline(context, kCallTimeout);
  v1::GetBuildRequest request;
  request.set_id(id);
  v1::GetBuildResponse response;
  const grpc::Status status = viewer_->GetBuild(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.build();
}

v1::Build ServiceFixture::Await(const std::string& id, v1::BuildState state) {
  grpc::ClientContext context;
  rpc::SetDeadline(context, kCallTimeout);
  v1::WatchBuildRequest request;
  request.set_id(id);
  const auto stream = viewer_->WatchBuild(&context, request);
  v1::WatchBuildResponse response;
  while (stream->Read(&response)) {
    if (response.build().state() != state) continue;
    context.TryCancel();
    stream->Finish();
    return response.build();
  }
  const grpc::Status status = stream->Finish();
  ADD_FAILURE() << "the build came to " << v1::BuildState_Name(response.build().state()) << " "
                << response.build().failure().message() << "; " << status.error_message();
  return response.build();
}

grpc::Status ServiceFixture::Synchronize(const std::vector<v1::LeaseReport>& reports, absl::Duration max_wait,
                                         v1::SynchronizeResponse& response) {
  grpc::ClientContext context;
  rpc::SetDeadline(context, kCallTimeout);
  v1::SynchronizeRequest request;
  request.set_agent_name("one");
  request.set_session_id(session_);
  request.set_starts_session(!started_session_);
  request.set_slots(1);
  request.set_free_slots(reports.empty() ? 1 : 0);
  for (const v1::LeaseReport& report : reports) *request.add_reports() = report;
  *request.mutable_max_wait() = ToProto(max_wait);
  response.Clear();
  const grpc::Status status = agent_->Synchronize(&context, request, &response);
  if (status.ok()) started_session_ = true;
  return status;
}

v1::Lease ServiceFixture::TakeOne() {
  v1::SynchronizeResponse response;
  // The scheduler answers at once while an expired lease is not reaped yet.
  for (const absl::Time deadline = absl::Now() + kCallTimeout; absl::Now() < deadline;) {
    const grpc::Status status = Synchronize({}, absl::Seconds(10), response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    if (!status.ok()) break;
    if (response.leases_size() == 1) return response.leases(0);
  }
  ADD_FAILURE() << "the agent was given no build";
  return {};
}

v1::LeaseReport ServiceFixture::Holding(const v1::Lease& lease, v1::BuildPhase phase) {
  v1::LeaseReport report;
  report.set_build_id(lease.build_id());
  report.set_fence(lease.fence());
  report.set_phase(phase);
  return report;
}

v1::LeaseReport ServiceFixture::Failed(const v1::Lease& lease, v1::FailureClass failure_class,
                                       const std::string& message) {
  v1::LeaseReport report = Holding(lease);
  report.mutable_result()->set_outcome(v1::BuildAttempt::OUTCOME_FAILED);
  report.mutable_result()->mutable_failure()->set_failure_class(failure_class);
  report.mutable_result()->mutable_failure()->set_message(message);
  return report;
}

v1::LeaseReport ServiceFixture::Succeeded(const v1::Lease& lease, const std::string& digest) {
  v1::LeaseReport report = Holding(lease);
  report.mutable_result()->set_outcome(v1::BuildAttempt::OUTCOME_SUCCEEDED);
  report.mutable_result()->set_image_digest(digest);
  return report;
}

grpc::Status ServiceFixture::Append(const v1::Lease& lease, int64_t offset, const std::string& data, int64_t* stored) {
  grpc::ClientContext context;
  rpc::SetDeadline(context, kCallTimeout);
  v1::AppendLogRequest request;
  request.set_build_id(lease.build_id());
  request.set_fence(lease.fence());
  request.set_offset(offset);
  request.set_data(data);
  v1::AppendLogResponse response;
  const grpc::Status status = agent_->AppendLog(&context, request, &response);
  if (stored != nullptr) *stored = response.stored_size();
  return status;
}

std::string ServiceFixture::Sql(const std::string& statement) {
  pqxx::connection connection(database_.admin_conninfo());
  pqxx::work work(connection);
  work.exec0("set search_path to scheduler");
  const pqxx::result rows = work.exec(statement);
  work.commit();
  return rows.empty() || rows[0][0].is_null() ? "" : rows[0][0].as<std::string>();
}

}  // namespace davit::scheduler
