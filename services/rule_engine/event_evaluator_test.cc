// Tests of evaluating an event by the rules of its repository.
#include "services/rule_engine/event_evaluator.h"

#include <string>
#include <vector>

#include "davit/scheduler/v1/scheduler.pb.h"
#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

Rule MakeRule(const std::string& id, const std::string& branch) {
  Rule rule;
  rule.id = id;
  rule.project = "default";
  rule.display_name = "rule of " + branch;
  rule.connection_id = "con_1";
  rule.repository = "team/app";
  rule.branches = {branch};
  rule.destination.set_repository("127.0.0.1:5000/team/app");
  rule.tag_templates = {"{branch}-{commit:7}", "latest"};
  return rule;
}

Event MakeEvent(const std::string& ref) {
  Event event;
  event.id = "evt_1";
  event.project = "default";
  event.connection_id = "con_1";
  event.push.set_repository("Team/App");
  event.push.set_ref(ref);
  event.push.set_after(kCommit);
  event.receive_time = absl::FromUnixSeconds(1700000000);
  return event;
}

TEST(EventEvaluatorTest, EachRuleIsExplainedAndTheMatchingOneOrdersABuild) {
  EventEvaluator evaluator;
  const std::vector<Rule> rules = {MakeRule("rul_1", "main"), MakeRule("rul_2", "dev")};
  const Evaluation evaluation = evaluator.Evaluate(MakeEvent("refs/heads/main"), rules);
  EXPECT_EQ(evaluation.state, EventState::kEvaluated);
  EXPECT_EQ(evaluation.detail, "1 of 2 rules matched");
  ASSERT_EQ(evaluation.outcomes.size(), 2);
  EXPECT_EQ(evaluation.outcomes[0].explanation.reason, Reason::kMatched);
  EXPECT_EQ(evaluation.outcomes[1].explanation.reason, Reason::kBranchNotMatched);
  EXPECT_FALSE(evaluation.outcomes[1].order.has_value());
  ASSERT_TRUE(evaluation.outcomes[0].order.has_value());

  const BuildOrder& order = *evaluation.outcomes[0].order;
  EXPECT_EQ(order.rule_id, "rul_1");
  EXPECT_EQ(order.ref, "refs/heads/main");
  scheduler::v1::CreateBuildRequest request;
  ASSERT_TRUE(request.ParseFromString(order.request));
  EXPECT_EQ(request.project(), "default");
  EXPECT_EQ(request.request_id(), order.request_id);
  EXPECT_LE(request.request_id().size(), 200);
  EXPECT_EQ(request.spec().git().repository(), "team/app");
  EXPECT_EQ(request.spec().git().commit(), kCommit);
  EXPECT_EQ(request.spec().tags(0), "main-0123456");
  EXPECT_EQ(request.spec().tags(1), "latest");
  EXPECT_EQ(request.origin().rule_id(), "rul_1");
  EXPECT_EQ(request.origin().event_id(), "evt_1");
  EXPECT_EQ(request.origin().requested_by(), "rule rule of main");
}

TEST(EventEvaluatorTest, TheRequestIdFollowsFromRuleRefAndCommitAlone) {
  EventEvaluator evaluator;
  const std::vector<Rule> rules = {MakeRule("rul_1", "*")};
  const auto request_id = [&](const Event& event) {
    return evaluator.Evaluate(event, rules).outcomes.at(0).order.value().request_id;
  };
  Event again = MakeEvent("refs/heads/main");
  again.id = "evt_2";
  again.receive_time = absl::UnixEpoch();
  EXPECT_EQ(request_id(MakeEvent("refs/heads/main")), request_id(again));
  EXPECT_NE(request_id(MakeEvent("refs/heads/main")), request_id(MakeEvent("refs/heads/dev")));
  again.push.set_after(std::string(40, 'f'));
  EXPECT_NE(request_id(MakeEvent("refs/heads/main")), request_id(again));
}

TEST(EventEvaluatorTest, WithoutRulesTheEventSaysSo) {
  EventEvaluator evaluator;
  EXPECT_EQ(evaluator.Evaluate(MakeEvent("refs/heads/main"), {}).detail, "no rule for Team/App");
}

TEST(EventEvaluatorTest, ARuleOfACaseSensitiveServerIsNotConcernedByAnotherSpelling) {
  EventEvaluator evaluator;
  std::vector<Rule> rules = {MakeRule("rul_1", "main")};
  rules[0].repository_case = NameCase::kSensitive;
  EXPECT_EQ(evaluator.Evaluate(MakeEvent("refs/heads/main"), rules).detail, "no rule for Team/App");
}

TEST(EventEvaluatorTest, APushWithoutACommitIsIgnored) {
  EventEvaluator evaluator;
  Event event = MakeEvent("refs/heads/main");
  event.push.set_after(std::string(40, '0'));
  EXPECT_EQ(evaluator.Evaluate(event, {}).state, EventState::kIgnored);
}

}  // namespace
}  // namespace davit::rule_engine
