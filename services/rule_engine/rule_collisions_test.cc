// Tests of the warnings about rules that overwrite each other's tags.
#include "services/rule_engine/rule_collisions.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

Rule MakeRule(const std::string& id, const std::string& repository, std::vector<std::string> templates) {
  Rule rule;
  rule.id = id;
  rule.display_name = "rule " + id;
  rule.connection_id = "con_1";
  rule.repository = repository;
  rule.destination.set_repository("127.0.0.1:5000/app");
  rule.tag_templates = std::move(templates);
  return rule;
}

TEST(RuleCollisionsTest, AFixedTagOfTwoRulesIsNamed) {
  const Rule rule = MakeRule("rul_1", "team/a", {"{branch}-{commit:7}", "latest"});
  const auto warnings = FindCollisions(rule, {MakeRule("rul_2", "team/b", {"{branch}-{commit:7}", "latest"})});
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_EQ(
      warnings[0],
      "the rule \"rule rul_2\" (rul_2) sets the tag latest of 127.0.0.1:5000/app too: where both build, the later "
      "build has it");
}

TEST(RuleCollisionsTest, RulesOfOneRepositoryMeetInTagsWithCommitsToo) {
  const Rule rule = MakeRule("rul_1", "team/a", {"{commit:7}"});
  EXPECT_EQ(FindCollisions(rule, {MakeRule("rul_2", "Team/A", {"{commit:7}"})}).size(), 1);
  EXPECT_TRUE(FindCollisions(rule, {MakeRule("rul_2", "team/b", {"{commit:7}"})}).empty());
}

TEST(RuleCollisionsTest, BranchesOfTwoRepositoriesMayHaveOneName) {
  const Rule rule = MakeRule("rul_1", "team/a", {"{branch}"});
  EXPECT_EQ(FindCollisions(rule, {MakeRule("rul_2", "team/b", {"{branch}"})}).size(), 1);
}

TEST(RuleCollisionsTest, ItselfAnotherTagAndAnotherImageAreNoCollision) {
  const Rule rule = MakeRule("rul_1", "team/a", {"latest"});
  Rule elsewhere = MakeRule("rul_2", "team/a", {"latest"});
  elsewhere.destination.set_repository("127.0.0.1:5000/other");
  EXPECT_TRUE(FindCollisions(rule, {rule, elsewhere, MakeRule("rul_3", "team/a", {"stable"})}).empty());
}

}  // namespace
}  // namespace davit::rule_engine
