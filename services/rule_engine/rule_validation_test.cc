// Tests of what is refused when a rule is saved: every refusal names its field.
#include "services/rule_engine/rule_validation.h"

#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/ids.h"
#include "libs/ids/testing/fake_random.h"

namespace davit::rule_engine {
namespace {

Rule ValidRule() {
  FakeClock clock;
  FakeRandom random;
  Rule rule;
  rule.display_name = "app";
  rule.connection_id = NewId("con", clock, random);
  rule.repository = "team/app";
  rule.branches = {"main"};
  rule.destination.set_repository("127.0.0.1:5000/team/app");
  rule.tag_templates = {"{branch}-{commit:7}", "latest"};
  return rule;
}

void ExpectRefused(const std::function<void(Rule&)>& change, const std::string& message) {
  Rule rule = ValidRule();
  change(rule);
  const absl::Status status = ValidateRule(rule);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << message;
  EXPECT_TRUE(absl::StartsWith(status.message(), message)) << status.message() << "\nexpected: " << message;
}

TEST(RuleValidationTest, AValidRuleIsAcceptedAndGetsItsDefaults) {
  Rule rule = ValidRule();
  const absl::Status status = ValidateRule(rule);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(rule.recipe.dockerfile_path(), "Dockerfile");
  EXPECT_EQ(rule.recipe.context_dir(), ".");
}

TEST(RuleValidationTest, ARuleThatIsTriggeredByHandOnlyNeedsNoPatterns) {
  Rule rule = ValidRule();
  rule.branches.clear();
  EXPECT_TRUE(ValidateRule(rule).ok());
}

TEST(RuleValidationTest, TheNameHasOneToHundredCharacters) {
  for (const std::string& name : {std::string(), std::string(101, 'a'), std::string("a\nb"), std::string(" a")}) {
    ExpectRefused([&](Rule& rule) { rule.display_name = name; }, "rule.display_name: ");
  }
  Rule rule = ValidRule();
  for (rule.display_name = ""; rule.display_name.size() < 300;) rule.display_name += "日";
  EXPECT_TRUE(ValidateRule(rule).ok());
}

TEST(RuleValidationTest, TheSourceIsAConnectionAndAPath) {
  ExpectRefused([](Rule& rule) { rule.connection_id = "github"; }, "rule.connection_id: ");
  for (const std::string path : {"", "/team/app", "team//app", "team/../app", "team/-x", "team/app.git", "team/a pp",
                                 "https://host/team/app", "team/app?x"}) {
    ExpectRefused([&](Rule& rule) { rule.repository = path; }, "rule.repository: ");
  }
}

TEST(RuleValidationTest, ThePolicyIsCheckedFieldByField) {
  ExpectRefused([](Rule& rule) { rule.policy.set_priority(101); }, "rule.policy.priority: ");
  ExpectRefused([](Rule& rule) { rule.policy.set_concurrency_group("a b"); }, "rule.policy.concurrency_group: ");
  ExpectRefused([](Rule& rule) { rule.policy.set_max_concurrent(-1); }, "rule.policy.max_concurrent: ");
  ExpectRefused([](Rule& rule) { rule.policy.mutable_reuse_window()->set_nanos(1); }, "rule.policy.reuse_window: ");
  ExpectRefused([](Rule& rule) { rule.policy.set_infrastructure_retries(11); }, "rule.policy.infrastructure_retries: ");
  ExpectRefused([](Rule& rule) { rule.recipe.add_secrets()->set_id("a b"); }, "rule.recipe.secrets[0].id: ");
}

TEST(RuleValidationTest, PatternsAreCheckedOneByOne) {
  ExpectRefused([](Rule& rule) { rule.branches = {"main", "re:(a"}; }, "rule.trigger.branches[1]: pattern rejected: ");
  ExpectRefused([](Rule& rule) { rule.tags = {"re:(a{1000}){1000}"}; }, "rule.trigger.tags[0]: pattern rejected: ");
  ExpectRefused([](Rule& rule) { rule.branches.assign(51, "main"); }, "rule.trigger.branches: more than 50");
}

TEST(RuleValidationTest, TheRecipeAndTheDestinationAreChecked) {
  ExpectRefused([](Rule& rule) { rule.recipe.set_dockerfile_path("../../etc/passwd"); },
                "rule.recipe.dockerfile_path: path leaves the repository");
  ExpectRefused([](Rule& rule) { (*rule.recipe.mutable_build_args())["A-B"] = "x"; },
                "rule.recipe.build_args[\"A-B\"]: ");
  ExpectRefused([](Rule& rule) { rule.destination.set_repository("UPPER/..:x y"); },
                "rule.destination.repository: invalid image reference");
}

TEST(RuleValidationTest, TagTemplatesAreCheckedOneByOne) {
  ExpectRefused([](Rule& rule) { rule.tag_templates.clear(); }, "rule.tag_templates: 1 to 10");
  ExpectRefused([](Rule& rule) { rule.tag_templates.assign(11, "latest"); }, "rule.tag_templates: 1 to 10");
  ExpectRefused(
      [](Rule& rule) {
        rule.tag_templates = {"latest", "UPPER/..:x y"};
      },
      "rule.tag_templates[1]: invalid image reference");
  ExpectRefused([](Rule& rule) { rule.tag_templates = {"{sha}"}; }, "rule.tag_templates[0]: unknown variable {sha}");
}

TEST(RuleValidationTest, EveryPatternIsChecked) {
  ExpectRefused(
      [](Rule& rule) {
        rule.exclude_branches = {"a", "re:("};
      },
      "rule.trigger.exclude_branches[1]: pattern rejected: ");
  ExpectRefused([](Rule& rule) { rule.exclude_tags = {"v*"}; },
                "rule.trigger.exclude_tags: takes away from rule.trigger.tags, which is empty");
  ExpectRefused([](Rule& rule) { rule.paths = {"/src"}; }, "rule.trigger.paths[0]: pattern rejected: ");
  ExpectRefused([](Rule& rule) { rule.exclude_paths = {""}; }, "rule.trigger.exclude_paths[0]: pattern rejected: ");
  ExpectRefused([](Rule& rule) { rule.authors = {"re:("}; }, "rule.trigger.authors[0]: pattern rejected: ");
  ExpectRefused([](Rule& rule) { rule.exclude_authors.assign(51, "a"); },
                "rule.trigger.exclude_authors: more than 50 patterns");
}

TEST(RuleValidationTest, EveryKindOfTriggerGetsATag) {
  ExpectRefused([](Rule& rule) { rule.tag_templates = {"{tag}"}; }, "rule.tag_templates: the trigger has branches");
  ExpectRefused(
      [](Rule& rule) {
        rule.tags = {"v*"};
        rule.tag_templates = {"{branch}"};
      },
      "rule.tag_templates: the trigger has tags");
}

}  // namespace
}  // namespace davit::rule_engine
