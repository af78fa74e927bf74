// Tests of the decision about a push.
#include "services/rule_engine/rule_matcher.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

Rule MakeRule() {
  Rule rule;
  rule.display_name = "app";
  rule.repository = "team/app";
  rule.branches = {"main", "release/*"};
  rule.tag_templates = {"{branch}-{commit:7}", "{tag}", "latest"};
  return rule;
}

TagInputs Push(const std::string& full_ref) {
  TagInputs push;
  push.ref = *GitRef::Parse(full_ref);
  push.commit = std::string(40, 'a');
  return push;
}

Verdict Match(const Rule& rule, const std::string& full_ref) {
  PatternCache patterns;
  return MatchRule(rule, Push(full_ref), patterns);
}

TEST(RuleMatcherTest, AMatchNamesThePatternAndTheTags) {
  const Verdict verdict = Match(MakeRule(), "refs/heads/release/1");
  EXPECT_EQ(verdict.reason, Reason::kMatched);
  EXPECT_EQ(verdict.detail, "branch release/1 matches release/*");
  EXPECT_EQ(verdict.tags.size(), 2);
  EXPECT_EQ(verdict.tags.back(), "latest");
}

TEST(RuleMatcherTest, ABranchThatNoPatternMatchesIsExplained) {
  const Verdict verdict = Match(MakeRule(), "refs/heads/dev");
  EXPECT_EQ(verdict.reason, Reason::kBranchNotMatched);
  EXPECT_EQ(verdict.detail, "branch dev matches none of: main, release/*");
  EXPECT_TRUE(verdict.tags.empty());
}

TEST(RuleMatcherTest, ATagDoesNotTriggerARuleOfBranches) {
  const Verdict verdict = Match(MakeRule(), "refs/tags/main");
  EXPECT_EQ(verdict.reason, Reason::kTagNotMatched);
  EXPECT_EQ(verdict.detail, "the rule has no tag patterns: a tag does not trigger it");
}

TEST(RuleMatcherTest, ADisabledRuleDoesNotBuild) {
  Rule rule = MakeRule();
  rule.enabled = false;
  EXPECT_EQ(Match(rule, "refs/heads/main").reason, Reason::kRuleDisabled);
}

TEST(RuleMatcherTest, WithoutAnApplicableTemplateThereIsNoTag) {
  Rule rule = MakeRule();
  rule.tag_templates = {"{tag}"};
  const Verdict verdict = Match(rule, "refs/heads/main");
  EXPECT_EQ(verdict.reason, Reason::kNoTag);
  EXPECT_EQ(verdict.detail, "none of the tag templates applies to a branch: {tag}");
}

TEST(RuleMatcherTest, AStoredPatternThatIsNotValidAnyMoreIsExplained) {
  Rule rule = MakeRule();
  rule.branches = {"re:("};
  const Verdict verdict = Match(rule, "refs/heads/main");
  EXPECT_EQ(verdict.reason, Reason::kBranchNotMatched);
  EXPECT_NE(verdict.detail.find("pattern rejected: "), std::string::npos) << verdict.detail;
}

TEST(RuleMatcherTest, ManyPatternsAreCutShortInTheExplanation) {
  Rule rule = MakeRule();
  rule.branches.assign(12, "x");
  EXPECT_EQ(Match(rule, "refs/heads/dev").detail,
            "branch dev matches none of: x, x, x, x, x, x, x, x, x, x and 2 more");
}

TEST(RenderTagsTest, RepetitionsAreLeftOut) {
  const auto tags = RenderTags({"latest", "{branch}", "main", "latest"}, Push("refs/heads/main"));
  ASSERT_TRUE(tags.ok()) << tags.status();
  EXPECT_EQ(*tags, (std::vector<std::string>{"latest", "main"}));
}

TEST(RepositoryTest, CaseCountsOnlyWhereTheServerTellsItApart) {
  Rule rule = MakeRule();
  EXPECT_TRUE(ConcernsRepository(rule, "Team/App"));
  rule.repository_case = NameCase::kSensitive;
  EXPECT_FALSE(ConcernsRepository(rule, "Team/App"));
  EXPECT_TRUE(ConcernsRepository(rule, "team/app"));
  EXPECT_EQ(RepositoryKey("Team/App"), RepositoryKey("team/app"));
}

}  // namespace
}  // namespace davit::rule_engine
