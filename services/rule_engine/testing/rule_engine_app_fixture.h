// A rule-engine over gRPC on a real PostgreSQL, with a token-registry and a scheduler that the test plays.
#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/auth/testing/fake_authenticator.h"
#include "libs/clock/clock.h"
#include "libs/ids/ids.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/server.h"
#include "services/rule_engine/rule_engine_app.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine::app_testing {

using rules::v1::Event;
using rules::v1::RuleExplanation;

// Knows one connection and one credential, and resolves "main" and commits.
class FakeTokenRegistry : public registry::v1::TokenRegistry::Service {
 public:
  grpc::Status GetConnection(grpc::ServerContext*, const registry::v1::GetConnectionRequest* request,
                             registry::v1::GetConnectionResponse* response) override {
    if (request->id() != connection || request->project() != "default") return {grpc::NOT_FOUND, "no connection"};
    response->mutable_connection()->set_id(connection);
    response->mutable_connection()->set_provider(registry::v1::PROVIDER_GITHUB);
    return grpc::Status::OK;
  }

  grpc::Status GetRegistryCredential(grpc::ServerContext*, const registry::v1::GetRegistryCredentialRequest* request,
                                     registry::v1::GetRegistryCredentialResponse* response) override {
    if (request->id() != credential) return {grpc::NOT_FOUND, "no registry credential"};
    response->mutable_registry_credential()->set_registry("127.0.0.1:5000");
    return grpc::Status::OK;
  }

  grpc::Status GetCommit(grpc::ServerContext*, const registry::v1::GetCommitRequest* request,
                         registry::v1::GetCommitResponse* response) override {
    if (request->revision() == "main") {
      response->mutable_commit()->set_ref("refs/heads/main");
    } else if (request->revision() != kCommit) {
      return {grpc::NOT_FOUND, "revision not found: " + request->revision()};
    }
    response->mutable_commit()->set_id(kCommit);
    return grpc::Status::OK;
  }

  std::string connection;
  std::string credential;
};

// Knows one secret, "npm-token".
class FakeBuildSecrets : public registry::v1::BuildSecrets::Service {
 public:
  grpc::Status GetSecret(grpc::ServerContext*, const registry::v1::GetSecretRequest* request,
                         registry::v1::GetSecretResponse* response) override {
    if (request->name() != "npm-token") {
      return {grpc::StatusCode::NOT_FOUND, absl::StrCat("no secret \"", request->name(), "\"")};
    }
    response->mutable_secret()->set_name(request->name());
    return grpc::Status::OK;
  }
};

// Makes one build per request id.
class FakeScheduler : public scheduler::v1::Scheduler::Service {
 public:
  grpc::Status CreateBuild(grpc::ServerContext*, const scheduler::v1::CreateBuildRequest* request,
                           scheduler::v1::CreateBuildResponse* response) override {
    absl::MutexLock lock(&mutex_);
    const auto [build, inserted] = builds_.emplace(request->request_id(), absl::StrCat("bld_", builds_.size() + 1));
    response->mutable_build()->set_id(build->second);
    response->set_duplicate(!inserted);
    last_ = *request;
    return grpc::Status::OK;
  }

  size_t builds() {
    absl::MutexLock lock(&mutex_);
    return builds_.size();
  }

  scheduler::v1::CreateBuildRequest last() {
    absl::MutexLock lock(&mutex_);
    return last_;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, std::string> builds_ ABSL_GUARDED_BY(mutex_);
  scheduler::v1::CreateBuildRequest last_ ABSL_GUARDED_BY(mutex_);
};

class RuleEngineAppTest : public StoreFixture {
 protected:
  RuleEngineAppTest() {
    authenticator_.Add("admin", auth::Role::kAdmin);
    authenticator_.Add("developer", auth::Role::kDeveloper);
    authenticator_.Add("viewer", auth::Role::kViewer);
    authenticator_.Add("gateway", auth::Role::kGateway, "*");
    authenticator_.Add("stranger", auth::Role::kAdmin, "other");
    registry_.connection = NewId("con", real_clock_, random_);
    registry_.credential = NewId("rcr", real_clock_, random_);
    webhook_ = NewId("whk", real_clock_, random_);
    peers_ = *rpc::Server::Start({}, {&registry_, &secrets_, &scheduler_}, Logger::Discarding(), metrics_);
    StartApp();
  }

  ~RuleEngineAppTest() override {
    server_.reset();
    app_.reset();
  }

  void StartApp() {
    const auto peers = peers_->InProcessChannel({});
    auto app = RuleEngineApp::Create(
        {.conninfo = database_.app_conninfo("rule_engine"), .owner_conninfo = database_.owner_conninfo("rule_engine")},
        real_clock_, random_, Logger::Discarding(), metrics_, authenticator_, peers, peers);
    ASSERT_TRUE(app.ok()) << app.status();
    app_ = *std::move(app);
    server_ = *rpc::Server::Start({}, app_->services(), Logger::Discarding(), metrics_);
    ASSERT_TRUE(app_->Start().ok());
    stub_ = rules::v1::RuleEngine::NewStub(server_->InProcessChannel({}));
  }

  // Makes a call as the holder of the token.
  template <typename Method, typename Request, typename Response>
  grpc::Status Call(Method method, const std::string& token, const Request& request, Response& response) {
    grpc::ClientContext context;
    rpc::SetDeadline(context, absl::Seconds(20));
    rpc::SetBearerToken(context, token);
    return ((*stub_).*method)(&context, request, &response);
  }

  rules::v1::CreateRuleRequest NewRule() {
    rules::v1::CreateRuleRequest request;
    rules::v1::Rule& rule = *request.mutable_rule();
    rule.set_display_name("app");
    rule.set_connection_id(registry_.connection);
    rule.set_repository("team/app");
    rule.mutable_trigger()->add_branches("main");
    rule.mutable_destination()->set_repository("127.0.0.1:5000/team/app");
    rule.add_tag_templates("{branch}-{commit:7}");
    return request;
  }

  rules::v1::Rule CreateRule() {
    rules::v1::CreateRuleResponse response;
    const grpc::Status status = Call(&Stub::CreateRule, "admin", NewRule(), response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.rule();
  }

  rules::v1::IngestEventRequest Push(const std::string& delivery, const std::string& ref = "refs/heads/main") {
    rules::v1::IngestEventRequest request;
    request.set_project("default");
    request.set_connection_id(registry_.connection);
    request.set_webhook_id(webhook_);
    request.set_delivery_id(delivery);
    request.mutable_push()->set_repository("team/app");
    request.mutable_push()->set_ref(ref);
    request.mutable_push()->set_after(kCommit);
    return request;
  }

  std::string Ingest(const rules::v1::IngestEventRequest& request) {
    rules::v1::IngestEventResponse response;
    const grpc::Status status = Call(&Stub::IngestEvent, "gateway", request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.event_id();
  }

  Event GetEvent(const std::string& id) {
    rules::v1::GetEventRequest request;
    request.set_id(id);
    rules::v1::GetEventResponse response;
    const grpc::Status status = Call(&Stub::GetEvent, "viewer", request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.event();
  }

  // Waits for what the loops do to the event.
  template <typename Condition>
  Event AwaitEvent(const std::string& id, Condition condition) {
    Event event = GetEvent(id);
    for (const absl::Time end = absl::Now() + absl::Seconds(20); !condition(event) && absl::Now() < end;) {
      std::this_thread::yield();
      event = GetEvent(id);
    }
    EXPECT_TRUE(condition(event)) << event.ShortDebugString();
    return event;
  }

  static bool HasBuild(const Event& event) {
    return event.explanations_size() > 0 && !event.explanations(0).build_id().empty();
  }
  static bool IsEvaluated(const Event& event) { return event.state() == Event::STATE_EVALUATED; }

  using Stub = rules::v1::RuleEngine::Stub;

  RealClock real_clock_;
  auth::FakeAuthenticator authenticator_;
  metrics::Registry metrics_;
  FakeTokenRegistry registry_;
  FakeBuildSecrets secrets_;
  FakeScheduler scheduler_;
  std::string webhook_;
  std::unique_ptr<rpc::Server> peers_;
  std::unique_ptr<RuleEngineApp> app_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<Stub> stub_;
};
}  // namespace davit::rule_engine::app_testing
