// Tests of the RPCs about rules, over gRPC.
#include <set>

#include "services/rule_engine/testing/rule_engine_app_fixture.h"

namespace davit::rule_engine::app_testing {
namespace {

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

TEST_F(RuleEngineAppTest, ARuleNamesSecretsThatTheProjectHas) {
  rules::v1::CreateRuleResponse response;
  rules::v1::CreateRuleRequest request = NewRule();
  request.mutable_rule()->mutable_recipe()->add_secrets()->set_id("npm");
  grpc::Status status = Call(&Stub::CreateRule, "admin", request, response);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "rule.recipe.secrets[0].secret: no secret \"npm\"");
  request.mutable_rule()->mutable_recipe()->mutable_secrets(0)->set_secret("npm-token");
  ASSERT_TRUE(Call(&Stub::CreateRule, "admin", request, response).ok());
  EXPECT_EQ(response.rule().recipe().secrets(0).secret(), "npm-token");

  rules::v1::UpdateRuleRequest update;
  rules::v1::UpdateRuleResponse updated;
  update.mutable_rule()->set_id(response.rule().id());
  update.mutable_rule()->mutable_recipe()->add_secrets()->set_id("gone");
  update.mutable_update_mask()->add_paths("recipe.secrets");
  EXPECT_EQ(Call(&Stub::UpdateRule, "admin", update, updated).error_code(), grpc::NOT_FOUND);
  update.mutable_rule()->mutable_recipe()->clear_secrets();
  ASSERT_TRUE(Call(&Stub::UpdateRule, "admin", update, updated).ok());
  EXPECT_EQ(updated.rule().recipe().secrets_size(), 0);
}

TEST_F(RuleEngineAppTest, APolicyGoesWithEachBuildAndOnlyPushesSupersede) {
  rules::v1::CreateRuleResponse created;
  rules::v1::CreateRuleRequest request = NewRule();
  common::v1::BuildPolicy& policy = *request.mutable_rule()->mutable_policy();
  policy.set_priority(7);
  policy.set_supersede(common::v1::SUPERSEDE_POLICY_CANCEL_RUNNING);
  policy.set_infrastructure_retries(0);
  ASSERT_TRUE(Call(&Stub::CreateRule, "admin", request, created).ok());
  const std::string event = Ingest(Push("d1"));
  AwaitEvent(event, HasBuild);
  EXPECT_EQ(scheduler_.last().policy().SerializeAsString(), policy.SerializeAsString());

  // What a person asks for may be older than what waits.
  rules::v1::TriggerRuleRequest trigger;
  trigger.set_id(created.rule().id());
  trigger.set_revision("main");
  rules::v1::TriggerRuleResponse triggered;
  ASSERT_TRUE(Call(&Stub::TriggerRule, "developer", trigger, triggered).ok());
  AwaitEvent(triggered.event().id(), HasBuild);
  EXPECT_EQ(scheduler_.last().policy().supersede(), common::v1::SUPERSEDE_POLICY_UNSPECIFIED);
  EXPECT_EQ(scheduler_.last().policy().priority(), 7);
  rules::v1::ReplayEventRequest replay;
  replay.set_id(event);
  replay.set_force(true);
  rules::v1::ReplayEventResponse replayed;
  ASSERT_TRUE(Call(&Stub::ReplayEvent, "developer", replay, replayed).ok());
  for (int i = 0; i < 3000 && scheduler_.builds() < 3; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(scheduler_.builds(), 3);
  EXPECT_EQ(scheduler_.last().policy().supersede(), common::v1::SUPERSEDE_POLICY_UNSPECIFIED);

  rules::v1::UpdateRuleRequest update;
  rules::v1::UpdateRuleResponse updated;
  update.mutable_rule()->set_id(created.rule().id());
  update.mutable_rule()->mutable_policy()->set_priority(101);
  update.mutable_update_mask()->add_paths("policy.priority");
  const grpc::Status status = Call(&Stub::UpdateRule, "admin", update, updated);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StartsWith(status.error_message(), "rule.policy.priority: ")) << status.error_message();
  update.mutable_rule()->mutable_policy()->set_priority(0);
  update.mutable_update_mask()->add_paths("policy.infrastructure_retries");
  ASSERT_TRUE(Call(&Stub::UpdateRule, "admin", update, updated).ok());
  EXPECT_FALSE(updated.rule().policy().has_infrastructure_retries());
  EXPECT_EQ(updated.rule().policy().supersede(), common::v1::SUPERSEDE_POLICY_CANCEL_RUNNING);
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

TEST_F(RuleEngineAppTest, EachBuildOfARuleGetsTheNextNumberAndARepeatedPushNone) {
  rules::v1::CreateRuleRequest request = NewRule();
  request.mutable_rule()->mutable_trigger()->add_branches("dev");
  request.mutable_rule()->clear_tag_templates();
  request.mutable_rule()->add_tag_templates("{branch}-{number}");
  rules::v1::CreateRuleResponse created;
  ASSERT_TRUE(Call(&Stub::CreateRule, "admin", request, created).ok());
  const auto tag = [&](const std::string& event) { return AwaitEvent(event, HasBuild).explanations(0).tags(0); };
  EXPECT_EQ(tag(Ingest(Push("d1"))), "main-1");
  AwaitEvent(Ingest(Push("d2")), IsEvaluated);  // The same commit again: no build, no number.
  EXPECT_EQ(tag(Ingest(Push("d3", "refs/heads/dev"))), "dev-2");
  rules::v1::TriggerRuleRequest trigger;
  trigger.set_id(created.rule().id());
  trigger.set_revision("main");
  rules::v1::TriggerRuleResponse triggered;
  ASSERT_TRUE(Call(&Stub::TriggerRule, "developer", trigger, triggered).ok());
  EXPECT_EQ(tag(triggered.event().id()), "main-3");
  // A number is no change of the rule.
  rules::v1::GetRuleRequest get;
  get.set_id(created.rule().id());
  rules::v1::GetRuleResponse got;
  ASSERT_TRUE(Call(&Stub::GetRule, "viewer", get, got).ok());
  EXPECT_EQ(got.rule().etag(), created.rule().etag());
}

TEST_F(RuleEngineAppTest, ManyAtOnceGetManyNumbers) {
  rules::v1::CreateRuleRequest request = NewRule();
  request.mutable_rule()->clear_tag_templates();
  request.mutable_rule()->add_tag_templates("{number}");
  rules::v1::CreateRuleResponse created;
  ASSERT_TRUE(Call(&Stub::CreateRule, "admin", request, created).ok());
  constexpr int kTriggers = 8;
  std::vector<std::thread> triggers;
  std::vector<std::string> tags(kTriggers);
  for (int i = 0; i < kTriggers; ++i) {
    triggers.emplace_back([&, i] {
      rules::v1::TriggerRuleRequest trigger;
      trigger.set_id(created.rule().id());
      trigger.set_revision("main");
      rules::v1::TriggerRuleResponse triggered;
      const grpc::Status status = Call(&Stub::TriggerRule, "developer", trigger, triggered);
      EXPECT_TRUE(status.ok()) << status.error_message();
      if (status.ok()) tags[static_cast<size_t>(i)] = triggered.event().explanations(0).tags(0);
    });
  }
  for (std::thread& trigger : triggers) trigger.join();
  EXPECT_EQ(std::set<std::string>(tags.begin(), tags.end()).size(), kTriggers);
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

}  // namespace
}  // namespace davit::rule_engine::app_testing
