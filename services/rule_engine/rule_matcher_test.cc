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
  return MatchRule(rule, Push(full_ref), PushFacts(), patterns);
}

// A push to main of one commit.
rules::v1::PushEvent OneCommit(const std::string& message, const std::vector<std::string>& modified) {
  rules::v1::PushEvent push;
  push.set_after(std::string(40, 'a'));
  rules::v1::PushedCommit& commit = *push.add_commits();
  commit.set_id(push.after());
  commit.set_message(message);
  commit.set_author_name("Alice Example");
  commit.set_author_email("alice@example.org");
  commit.mutable_modified()->Assign(modified.begin(), modified.end());
  return push;
}

Verdict MatchPush(const Rule& rule, const rules::v1::PushEvent& push, const std::string& ref = "refs/heads/main") {
  PatternCache patterns;
  return MatchRule(rule, Push(ref), FactsOf(push, std::nullopt), patterns);
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

TEST(RuleMatcherTest, AnExcludedRefDoesNotBuild) {
  Rule rule = MakeRule();
  rule.branches = {"**"};
  rule.exclude_branches = {"dependabot/**", "release/old"};
  rule.tags = {"v*"};
  rule.exclude_tags = {"re:refs/tags/.*-rc[0-9]+"};
  EXPECT_EQ(Match(rule, "refs/heads/main").reason, Reason::kMatched);
  const Verdict verdict = Match(rule, "refs/heads/dependabot/npm/x");
  EXPECT_EQ(verdict.reason, Reason::kRefExcluded);
  EXPECT_EQ(verdict.detail, "branch dependabot/npm/x matches ** but is excluded by dependabot/**");
  EXPECT_EQ(Match(rule, "refs/tags/v1").reason, Reason::kMatched);
  EXPECT_EQ(Match(rule, "refs/tags/v1-rc2").reason, Reason::kRefExcluded);
}

TEST(RuleMatcherTest, AnExcludePatternThatNoLongerCompilesExcludes) {
  Rule rule = MakeRule();
  rule.exclude_branches = {"re:("};
  EXPECT_EQ(Match(rule, "refs/heads/main").reason, Reason::kRefExcluded);
}

TEST(RuleMatcherTest, OnlyPathsThatMatterBuild) {
  Rule rule = MakeRule();
  rule.paths = {"src/", "**/Dockerfile"};
  rule.exclude_paths = {"**/*.md"};
  Verdict verdict = MatchPush(rule, OneCommit("x", {"README.md", "src/main.cc"}));
  EXPECT_EQ(verdict.reason, Reason::kMatched);
  EXPECT_EQ(verdict.detail, "branch main matches main; src/main.cc changed");
  EXPECT_EQ(MatchPush(rule, OneCommit("x", {"Dockerfile"})).reason, Reason::kMatched);
  verdict = MatchPush(rule, OneCommit("x", {"src/README.md", "docs/a"}));
  EXPECT_EQ(verdict.reason, Reason::kPathsNotMatched);
  EXPECT_EQ(verdict.detail, "no changed path (2) is one that matters of: src/, **/Dockerfile, without: **/*.md");
  rule.paths.clear();
  EXPECT_EQ(MatchPush(rule, OneCommit("x", {"docs/a"})).reason, Reason::kMatched);
}

TEST(RuleMatcherTest, WhereChangedPathsAreNotKnownTheRuleBuildsAndSaysSo) {
  Rule rule = MakeRule();
  rule.paths = {"src/**"};
  rules::v1::PushEvent push = OneCommit("x", {"docs/a"});
  push.set_commits_truncated(true);
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kMatched);
  EXPECT_EQ(MatchPush(rule, push).detail,
            "branch main matches main; built whatever changed: the provider's list of commits was cut short");
  push.set_commits_truncated(false);
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kPathsNotMatched);
  push.set_forced(true);
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kMatched);
  EXPECT_EQ(MatchPush(rule, OneCommit("x", {})).reason, Reason::kMatched);
}

TEST(RuleMatcherTest, AuthorsAreMatchedByNameOrAddress) {
  Rule rule = MakeRule();
  rule.exclude_authors = {"*[bot]", "*@bots.example"};
  EXPECT_EQ(MatchPush(rule, OneCommit("x", {})).reason, Reason::kMatched);
  rules::v1::PushEvent push = OneCommit("x", {});
  push.mutable_commits(0)->set_author_name("Renovate[Bot]");
  const Verdict verdict = MatchPush(rule, push);
  EXPECT_EQ(verdict.reason, Reason::kAuthorNotMatched);
  EXPECT_EQ(verdict.detail, "author Renovate[Bot] <alice@example.org> is excluded by *[bot]");
  rule.exclude_authors.clear();
  rule.authors = {"*@EXAMPLE.org"};
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kMatched);
  rule.authors = {"bob"};
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kAuthorNotMatched);
  push.clear_commits();
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kMatched) << "an author who is not known builds";
}

TEST(RuleMatcherTest, TheLastCommitsMessageCanAskNotToBuild) {
  Rule rule = MakeRule();
  for (const char* message : {"docs [skip ci]", "[CI Skip] x", "x\n\n[skip build]"}) {
    EXPECT_EQ(MatchPush(rule, OneCommit(message, {})).reason, Reason::kSkipMark) << message;
  }
  EXPECT_EQ(MatchPush(rule, OneCommit("skip ci", {})).reason, Reason::kMatched);
  rules::v1::PushEvent push = OneCommit("the last", {});
  *push.add_commits() = OneCommit("[skip ci]", {}).commits(0);
  push.mutable_commits(1)->set_id(std::string(40, 'b'));
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kMatched) << "only the last commit counts";
  push.set_after(std::string(40, 'b'));
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kSkipMark);
  rule.skip_marks = SkipMarks::kIgnored;
  EXPECT_EQ(MatchPush(rule, push).reason, Reason::kMatched);
}

TEST(RuleMatcherTest, ATagIsNotFilteredByItsCommits) {
  Rule rule = MakeRule();
  rule.tags = {"v*"};
  rule.paths = {"src/**"};
  rule.authors = {"bob"};
  EXPECT_EQ(MatchPush(rule, OneCommit("release [skip ci]", {"docs/a"}), "refs/tags/v1").reason, Reason::kMatched);
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
