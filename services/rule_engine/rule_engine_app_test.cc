// Tests of what becomes of events, over gRPC.
#include "services/rule_engine/testing/rule_engine_app_fixture.h"

namespace davit::rule_engine::app_testing {
namespace {

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

TEST_F(RuleEngineAppTest, EventsThatComeTogetherAreTakenOrRefusedEachForItself) {
  CreateRule();
  rules::v1::IngestEventsRequest request;
  *request.add_events() = Push("d1");
  *request.add_events() = Push("d2", "refs/heads/--upload-pack=x");
  *request.add_events() = Push("d3", "refs/heads/dev");
  *request.add_events() = Push("d1");
  rules::v1::IngestEventsResponse response;
  const grpc::Status status = Call(&Stub::IngestEvents, "gateway", request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.outcomes_size(), 4);
  EXPECT_EQ(response.outcomes(0).code(), 0);
  EXPECT_FALSE(response.outcomes(0).event().duplicate());
  EXPECT_EQ(response.outcomes(1).code(), grpc::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StartsWith(response.outcomes(1).message(), "push.ref: invalid ref"));
  EXPECT_TRUE(response.outcomes(3).event().duplicate());
  EXPECT_EQ(response.outcomes(3).event().event_id(), response.outcomes(0).event().event_id());
  AwaitEvent(response.outcomes(0).event().event_id(), HasBuild);
  AwaitEvent(response.outcomes(2).event().event_id(), IsEvaluated);
  EXPECT_EQ(scheduler_.builds(), 1);
  EXPECT_EQ(Call(&Stub::IngestEvents, "gateway", rules::v1::IngestEventsRequest(), response).error_code(),
            grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Call(&Stub::IngestEvents, "developer", request, response).error_code(), grpc::PERMISSION_DENIED);
}

TEST_F(RuleEngineAppTest, ADeletedRefIsIgnored) {
  rules::v1::IngestEventRequest push = Push("d1");
  push.mutable_push()->set_after(std::string(40, '0'));
  const Event event = GetEvent(Ingest(push));
  EXPECT_EQ(event.state(), Event::STATE_IGNORED);
  EXPECT_EQ(event.detail(), "ref deleted");
}

TEST_F(RuleEngineAppTest, ACallInsideTheProcessIsAsOneOverGrpc) {
  rules::v1::IngestEventsRequest request;
  *request.add_events() = Push("d-1");
  EXPECT_EQ(app_->IngestEvents(crypto::SecretString("viewer"), request).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(app_->IngestEvents(crypto::SecretString("nobody"), request).status().code(),
            absl::StatusCode::kUnauthenticated);
  const auto response = app_->IngestEvents(crypto::SecretString("gateway"), request);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->outcomes_size(), 1);
  EXPECT_EQ(response->outcomes(0).event().event_id(), Ingest(Push("d-1")));
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

TEST_F(RuleEngineAppTest, EventsAreListedInFullWhenAskedFor) {
  rules::v1::IngestEventRequest push = Push("d1");
  for (int i = 0; i < 700; ++i) push.mutable_push()->add_commits()->set_message(std::string(4096, 'x'));
  const std::string first = Ingest(push);
  push.set_delivery_id("d2");
  const std::string second = Ingest(push);
  rules::v1::ListEventsRequest request;
  request.set_view(rules::v1::EVENT_VIEW_FULL);
  rules::v1::ListEventsResponse page;
  ASSERT_TRUE(Call(&Stub::ListEvents, "viewer", request, page).ok());
  ASSERT_EQ(page.events_size(), 1) << "two would be larger than a page may be";
  EXPECT_EQ(page.events(0).id(), second);
  EXPECT_EQ(page.events(0).push().commits_size(), 700);
  EXPECT_FALSE(page.events(0).push().commits_truncated());
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(Call(&Stub::ListEvents, "viewer", request, page).ok());
  ASSERT_EQ(page.events_size(), 1);
  EXPECT_EQ(page.events(0).id(), first);
  EXPECT_EQ(page.next_page_token(), "");
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
}  // namespace davit::rule_engine::app_testing
