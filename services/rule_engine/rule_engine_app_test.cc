// Tests of the whole service over gRPC, on a real PostgreSQL, with a token-registry and a scheduler that the test
// plays.
#include "services/rule_engine/rule_engine_app.h"

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/auth/testing/fake_authenticator.h"
#include "libs/clock/clock.h"
#include "libs/ids/ids.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/server.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

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
    peers_ = *rpc::Server::Start({}, {&registry_, &scheduler_}, Logger::Discarding(), metrics_);
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
  FakeScheduler scheduler_;
  std::string webhook_;
  std::unique_ptr<rpc::Server> peers_;
  std::unique_ptr<RuleEngineApp> app_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<Stub> stub_;
};

TEST_F(RuleEngineAppTest, APushThatARuleMatchesBecomesABuild) {
  const rules::v1::Rule rule = CreateRule();
  EXPECT_TRUE(rule.enabled());
  EXPECT_EQ(rule.recipe().dockerfile_path(), "Dockerfile");
  const Event event = AwaitEvent(Ingest(Push("d1")), HasBuild);
  EXPECT_EQ(event.state(), Event::STATE_EVALUATED);
  EXPECT_EQ(event.kind(), Event::KIND_WEBHOOK);
  EXPECT_EQ(event.webhook_id(), webhook_);
  EXPECT_EQ(event.detail(), "1 of 1 rule matched");
  EXPECT_EQ(event.explanations(0).reason(), RuleExplanation::REASON_MATCHED);
  EXPECT_EQ(event.explanations(0).rule_id(), rule.id());
  EXPECT_EQ(scheduler_.last().spec().tags(0), "main-0123456");
  EXPECT_EQ(scheduler_.last().origin().event_id(), event.id());
}

TEST_F(RuleEngineAppTest, APushThatNoRuleMatchesSaysWhy) {
  CreateRule();
  const Event event = AwaitEvent(Ingest(Push("d1", "refs/heads/dev")), IsEvaluated);
  EXPECT_EQ(event.explanations(0).reason(), RuleExplanation::REASON_BRANCH_NOT_MATCHED);
  EXPECT_EQ(event.explanations(0).detail(), "branch dev matches none of: main");
  EXPECT_EQ(scheduler_.builds(), 0);
}

TEST_F(RuleEngineAppTest, ARepeatedDeliveryMakesOneBuild) {
  CreateRule();
  const std::string first = Ingest(Push("d1"));
  rules::v1::IngestEventResponse response;
  ASSERT_TRUE(Call(&Stub::IngestEvent, "gateway", Push("d1"), response).ok());
  EXPECT_TRUE(response.duplicate());
  EXPECT_EQ(response.event_id(), first);
  AwaitEvent(Ingest(Push("d2")), HasBuild);
  EXPECT_EQ(scheduler_.builds(), 1);
}

TEST_F(RuleEngineAppTest, ADeletedRefIsIgnored) {
  rules::v1::IngestEventRequest push = Push("d1");
  push.mutable_push()->set_after(std::string(40, '0'));
  const Event event = GetEvent(Ingest(push));
  EXPECT_EQ(event.state(), Event::STATE_IGNORED);
  EXPECT_EQ(event.detail(), "ref deleted");
}

TEST_F(RuleEngineAppTest, WhatWasIngestedBeforeARestartIsBuiltAfterIt) {
  CreateRule();
  app_->Drain(absl::Now());
  const std::string id = Ingest(Push("d1"));
  server_.reset();
  app_.reset();
  StartApp();
  AwaitEvent(id, HasBuild);
  EXPECT_EQ(scheduler_.builds(), 1);
}

TEST_F(RuleEngineAppTest, ABadEventNamesItsField) {
  rules::v1::IngestEventResponse response;
  const auto error = [&](const rules::v1::IngestEventRequest& request) {
    const grpc::Status status = Call(&Stub::IngestEvent, "gateway", request, response);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
    return status.error_message();
  };
  EXPECT_TRUE(absl::StartsWith(error(Push("d1", "refs/heads/--upload-pack=x")), "push.ref: invalid ref"));
  EXPECT_TRUE(absl::StartsWith(error(Push("")), "delivery_id: "));
  rules::v1::IngestEventRequest push = Push("d1");
  push.mutable_push()->set_after("HEAD");
  EXPECT_TRUE(absl::StartsWith(error(push), "push.after: "));
  push = Push("d1");
  push.clear_project();
  EXPECT_TRUE(absl::StartsWith(error(push), "project: "));
}

TEST_F(RuleEngineAppTest, AnOversizedPushIsCutAndKept) {
  rules::v1::IngestEventRequest push = Push("d1");
  for (int i = 0; i < 2000; ++i) push.mutable_push()->add_commits()->set_message("ä" + std::string(5000, 'x'));
  const Event event = GetEvent(Ingest(push));
  EXPECT_EQ(event.push().commits_size(), 1000);
  EXPECT_EQ(event.push().commits(0).message().size(), 4096);
  EXPECT_TRUE(event.push().commits_truncated());
  rules::v1::ListEventsResponse page;
  ASSERT_TRUE(Call(&Stub::ListEvents, "viewer", rules::v1::ListEventsRequest(), page).ok());
  EXPECT_EQ(page.events(0).push().commits_size(), 0) << "a page of pushes must fit into a message";
}

TEST_F(RuleEngineAppTest, ARuleOfAnUnknownConnectionOrCredentialIsRefused) {
  rules::v1::CreateRuleResponse response;
  rules::v1::CreateRuleRequest request = NewRule();
  request.mutable_rule()->set_connection_id(NewId("con", real_clock_, random_));
  grpc::Status status = Call(&Stub::CreateRule, "admin", request, response);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "rule.connection_id: no connection");

  request = NewRule();
  request.mutable_rule()->mutable_destination()->set_registry_credential_id(NewId("rcr", real_clock_, random_));
  status = Call(&Stub::CreateRule, "admin", request, response);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);

  request.mutable_rule()->mutable_destination()->set_registry_credential_id(registry_.credential);
  request.mutable_rule()->mutable_destination()->set_repository("127.0.0.1:6000/team/app");
  status = Call(&Stub::CreateRule, "admin", request, response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "rule.destination.registry_credential_id: is for the registry 127.0.0.1:5000, but the image goes to "
            "127.0.0.1:6000");
}

TEST_F(RuleEngineAppTest, AnUpdateChangesTheMaskedFieldsOnly) {
  const rules::v1::Rule rule = CreateRule();
  rules::v1::UpdateRuleRequest request;
  rules::v1::UpdateRuleResponse response;
  request.mutable_rule()->set_id(rule.id());
  request.mutable_rule()->set_display_name("not masked");
  (*request.mutable_rule()->mutable_recipe()->mutable_build_args())["A"] = "b";
  request.mutable_update_mask()->add_paths("recipe.build_args");
  ASSERT_TRUE(Call(&Stub::UpdateRule, "admin", request, response).ok());
  EXPECT_EQ(response.rule().display_name(), "app");
  EXPECT_EQ(response.rule().recipe().build_args().at("A"), "b");
  EXPECT_EQ(response.rule().recipe().dockerfile_path(), "Dockerfile");
  EXPECT_NE(response.rule().etag(), rule.etag());

  request.mutable_rule()->set_etag(rule.etag());
  EXPECT_EQ(Call(&Stub::UpdateRule, "admin", request, response).error_code(), grpc::ABORTED);
  request.mutable_rule()->clear_etag();
  request.mutable_update_mask()->add_paths("repository");
  const grpc::Status status = Call(&Stub::UpdateRule, "admin", request, response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StartsWith(status.error_message(), "update_mask: \"repository\" cannot be changed"));
}

TEST_F(RuleEngineAppTest, ADisabledRuleIsTriggeredByHandOnly) {
  const rules::v1::Rule rule = CreateRule();
  rules::v1::DisableRuleRequest disable;
  disable.set_id(rule.id());
  rules::v1::DisableRuleResponse disabled;
  ASSERT_TRUE(Call(&Stub::DisableRule, "admin", disable, disabled).ok());
  EXPECT_FALSE(disabled.rule().enabled());
  EXPECT_EQ(AwaitEvent(Ingest(Push("d1")), IsEvaluated).explanations(0).reason(),
            RuleExplanation::REASON_RULE_DISABLED);

  rules::v1::TriggerRuleRequest trigger;
  trigger.set_id(rule.id());
  trigger.set_revision("main");
  trigger.set_request_id("once");
  rules::v1::TriggerRuleResponse triggered;
  ASSERT_TRUE(Call(&Stub::TriggerRule, "developer", trigger, triggered).ok());
  EXPECT_EQ(triggered.event().kind(), Event::KIND_MANUAL);
  const std::string id = triggered.event().id();
  const Event event = AwaitEvent(id, HasBuild);
  EXPECT_EQ(event.push().after(), kCommit);
  EXPECT_EQ(event.detail(), "triggered by developer");
  ASSERT_TRUE(Call(&Stub::TriggerRule, "developer", trigger, triggered).ok());
  EXPECT_EQ(triggered.event().id(), id);
  EXPECT_EQ(scheduler_.builds(), 1);
  trigger.clear_request_id();
  ASSERT_TRUE(Call(&Stub::TriggerRule, "developer", trigger, triggered).ok());
  AwaitEvent(triggered.event().id(), HasBuild);
  EXPECT_EQ(scheduler_.builds(), 2);
}

TEST_F(RuleEngineAppTest, ARevisionThatCannotBeBuiltIsExplained) {
  const rules::v1::Rule rule = CreateRule();
  rules::v1::TriggerRuleRequest trigger;
  trigger.set_id(rule.id());
  trigger.set_revision("nowhere");
  rules::v1::TriggerRuleResponse triggered;
  grpc::Status status = Call(&Stub::TriggerRule, "developer", trigger, triggered);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "revision: revision not found: nowhere");
  trigger.set_revision(kCommit);
  status = Call(&Stub::TriggerRule, "developer", trigger, triggered);
  EXPECT_EQ(status.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "bare commit")) << status.error_message();
}

TEST_F(RuleEngineAppTest, TagsArePreviewedWithoutBuilding) {
  rules::v1::PreviewTagsRequest request;
  request.add_tag_templates("{branch}-{time:%Y}-{commit:4}");
  request.add_tag_templates("{tag}");
  request.add_tag_templates("latest");
  request.set_ref("refs/heads/main");
  request.mutable_time()->set_seconds(1700000000);
  rules::v1::PreviewTagsResponse response;
  ASSERT_TRUE(Call(&Stub::PreviewTags, "viewer", request, response).ok());
  ASSERT_EQ(response.tags_size(), 2);
  EXPECT_EQ(response.tags(0), "main-2023-0123");
  EXPECT_EQ(response.tags(1), "latest");
  request.add_tag_templates("UPPER/..:x y");
  const grpc::Status status = Call(&Stub::PreviewTags, "viewer", request, response);
  EXPECT_TRUE(absl::StartsWith(status.error_message(), "tag_templates[3]: invalid image reference"));
}

TEST_F(RuleEngineAppTest, ListsComeInPages) {
  for (int i = 0; i < 3; ++i) Ingest(Push(absl::StrCat("d", i), "refs/heads/dev"));
  rules::v1::ListEventsRequest request;
  request.set_page_size(2);
  rules::v1::ListEventsResponse page;
  ASSERT_TRUE(Call(&Stub::ListEvents, "viewer", request, page).ok());
  EXPECT_EQ(page.events_size(), 2);
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(Call(&Stub::ListEvents, "viewer", request, page).ok());
  EXPECT_EQ(page.events_size(), 1);
  EXPECT_EQ(page.next_page_token(), "");
  request.set_page_token("!");
  EXPECT_EQ(Call(&Stub::ListEvents, "viewer", request, page).error_code(), grpc::INVALID_ARGUMENT);
  request.clear_page_token();
  request.set_page_size(501);
  EXPECT_EQ(Call(&Stub::ListEvents, "viewer", request, page).error_code(), grpc::INVALID_ARGUMENT);

  CreateRule();
  rules::v1::CreateRuleRequest second = NewRule();
  second.mutable_rule()->set_display_name("b");
  rules::v1::CreateRuleResponse created;
  ASSERT_TRUE(Call(&Stub::CreateRule, "admin", second, created).ok());
  EXPECT_EQ(Call(&Stub::CreateRule, "admin", second, created).error_code(), grpc::ALREADY_EXISTS);
  rules::v1::ListRulesRequest list;
  list.set_page_size(1);
  rules::v1::ListRulesResponse rules;
  ASSERT_TRUE(Call(&Stub::ListRules, "viewer", list, rules).ok());
  EXPECT_EQ(rules.rules(0).display_name(), "app");
  list.set_page_token(rules.next_page_token());
  ASSERT_TRUE(Call(&Stub::ListRules, "viewer", list, rules).ok());
  EXPECT_EQ(rules.rules(0).display_name(), "b");
  EXPECT_EQ(rules.next_page_token(), "");
}

TEST_F(RuleEngineAppTest, ACollisionIsWarnedAboutWhenARuleIsSaved) {
  const rules::v1::Rule first = CreateRule();
  rules::v1::CreateRuleRequest second = NewRule();
  second.mutable_rule()->set_display_name("b");
  rules::v1::CreateRuleResponse created;
  ASSERT_TRUE(Call(&Stub::CreateRule, "admin", second, created).ok());
  ASSERT_EQ(created.warnings_size(), 1);
  EXPECT_TRUE(absl::StrContains(created.warnings(0), first.id())) << created.warnings(0);
  rules::v1::UpdateRuleRequest update;
  rules::v1::UpdateRuleResponse updated;
  update.mutable_rule()->set_id(created.rule().id());
  update.mutable_rule()->add_tag_templates("b-{commit:7}");
  update.mutable_update_mask()->add_paths("tag_templates");
  ASSERT_TRUE(Call(&Stub::UpdateRule, "admin", update, updated).ok());
  EXPECT_EQ(updated.warnings_size(), 0);
}

TEST_F(RuleEngineAppTest, ADraftRuleIsTriedOnPastEventsWithoutAnyEffect) {
  const std::string main = Ingest(Push("d1"));
  const std::string dev = Ingest(Push("d2", "refs/heads/dev"));
  AwaitEvent(main, IsEvaluated);
  AwaitEvent(dev, IsEvaluated);
  rules::v1::SimulateRuleRequest request;
  *request.mutable_rule() = NewRule().rule();
  rules::v1::SimulateRuleResponse response;
  grpc::Status status = Call(&Stub::SimulateRule, "viewer", request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.simulations_size(), 2);
  EXPECT_EQ(response.simulations(0).event_id(), dev);
  EXPECT_FALSE(response.simulations(0).would_build());
  EXPECT_EQ(response.simulations(0).explanation().reason(), RuleExplanation::REASON_BRANCH_NOT_MATCHED);
  EXPECT_TRUE(response.simulations(1).would_build());
  EXPECT_EQ(response.simulations(1).explanation().tags(0), "main-0123456");
  EXPECT_EQ(GetEvent(main).explanations_size(), 0);
  EXPECT_EQ(scheduler_.builds(), 0);
  request.set_page_size(1);
  ASSERT_TRUE(Call(&Stub::SimulateRule, "viewer", request, response).ok());
  EXPECT_EQ(response.simulations_size(), 1);
  EXPECT_NE(response.next_page_token(), "");

  request.set_ref("refs/heads/main");
  request.mutable_rule()->mutable_trigger()->add_paths("src/");
  request.add_paths("docs/a");
  ASSERT_TRUE(Call(&Stub::SimulateRule, "viewer", request, response).ok());
  ASSERT_EQ(response.simulations_size(), 1);
  EXPECT_EQ(response.simulations(0).explanation().reason(), RuleExplanation::REASON_PATHS_NOT_MATCHED);
  request.set_ref("main");
  EXPECT_TRUE(
      absl::StartsWith(Call(&Stub::SimulateRule, "viewer", request, response).error_message(), "ref: invalid ref"));
  request.mutable_rule()->mutable_trigger()->add_paths("/abs");
  EXPECT_TRUE(absl::StartsWith(Call(&Stub::SimulateRule, "viewer", request, response).error_message(),
                               "rule.trigger.paths[1]: pattern rejected"));
}

TEST_F(RuleEngineAppTest, AReplayBuildsWhatTheRulesNowMatch) {
  const std::string id = Ingest(Push("d1"));
  AwaitEvent(id, IsEvaluated);
  CreateRule();
  rules::v1::ReplayEventRequest request;
  request.set_id(id);
  rules::v1::ReplayEventResponse response;
  EXPECT_EQ(Call(&Stub::ReplayEvent, "viewer", request, response).error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(Call(&Stub::ReplayEvent, "stranger", request, response).error_code(), grpc::NOT_FOUND);
  ASSERT_TRUE(Call(&Stub::ReplayEvent, "developer", request, response).ok());
  EXPECT_EQ(response.event().detail(), "1 of 1 rule matched; replayed by developer");
  AwaitEvent(id, HasBuild);
  ASSERT_TRUE(Call(&Stub::ReplayEvent, "developer", request, response).ok());
  EXPECT_EQ(scheduler_.builds(), 1);
  request.set_force(true);
  ASSERT_TRUE(Call(&Stub::ReplayEvent, "developer", request, response).ok());
  AwaitEvent(id, HasBuild);
  EXPECT_EQ(scheduler_.builds(), 2);
}

TEST_F(RuleEngineAppTest, EventsAreSearched) {
  Ingest(Push("d1"));
  Ingest(Push("d2", "refs/tags/v1"));
  rules::v1::ListEventsRequest request;
  rules::v1::ListEventsResponse page;
  request.set_ref("v1");
  ASSERT_TRUE(Call(&Stub::ListEvents, "viewer", request, page).ok());
  ASSERT_EQ(page.events_size(), 1);
  EXPECT_EQ(page.events(0).delivery_id(), "d2");
  request.set_delivery_id("d1");
  ASSERT_TRUE(Call(&Stub::ListEvents, "viewer", request, page).ok());
  EXPECT_EQ(page.events_size(), 0);
  request.add_states(Event::STATE_UNSPECIFIED);
  const grpc::Status status = Call(&Stub::ListEvents, "viewer", request, page);
  EXPECT_TRUE(absl::StartsWith(status.error_message(), "states[0]: ")) << status.error_message();
}

TEST_F(RuleEngineAppTest, RolesAndProjectsAreKeptApart) {
  const rules::v1::Rule rule = CreateRule();
  rules::v1::CreateRuleResponse created;
  EXPECT_EQ(Call(&Stub::CreateRule, "viewer", NewRule(), created).error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(Call(&Stub::CreateRule, "nobody", NewRule(), created).error_code(), grpc::UNAUTHENTICATED);
  rules::v1::IngestEventResponse ingested;
  EXPECT_EQ(Call(&Stub::IngestEvent, "admin", Push("d1"), ingested).error_code(), grpc::PERMISSION_DENIED);
  rules::v1::GetRuleRequest get;
  get.set_id(rule.id());
  rules::v1::GetRuleResponse got;
  EXPECT_EQ(Call(&Stub::GetRule, "stranger", get, got).error_code(), grpc::NOT_FOUND);
  get.set_project("default");
  EXPECT_EQ(Call(&Stub::GetRule, "stranger", get, got).error_code(), grpc::PERMISSION_DENIED);
  rules::v1::DeleteRuleRequest remove;
  remove.set_id(rule.id());
  rules::v1::DeleteRuleResponse removed;
  EXPECT_EQ(Call(&Stub::DeleteRule, "stranger", remove, removed).error_code(), grpc::NOT_FOUND);
  EXPECT_TRUE(Call(&Stub::DeleteRule, "admin", remove, removed).ok());
}

}  // namespace
}  // namespace davit::rule_engine
