// Tests of the conversions of rules.
#include "services/rule_engine/rule_conversion.h"

#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

Rule MakeRule() {
  Rule rule;
  rule.id = "rul_1";
  rule.display_name = "app";
  rule.connection_id = "con_1";
  rule.repository = "team/app";
  rule.branches = {"main"};
  rule.tags = {"v*"};
  rule.recipe.set_dockerfile_path("Dockerfile");
  (*rule.recipe.mutable_build_args())["VERSION"] = "\"1\"\n";
  rule.recipe.mutable_timeout()->set_seconds(90);
  rule.destination.set_repository("127.0.0.1:5000/team/app");
  rule.tag_templates = {"{ref}"};
  rule.version = 7;
  return rule;
}

TEST(RuleConversionTest, TheSpecSurvivesTheStore) {
  Rule rule = MakeRule();
  rule.exclude_branches = {"old/**"};
  rule.exclude_tags = {"*-rc"};
  rule.paths = {"src/"};
  rule.exclude_paths = {"**/*.md"};
  rule.authors = {"*@example.org"};
  rule.exclude_authors = {"*[bot]"};
  rule.skip_marks = SkipMarks::kIgnored;
  rule.policy.set_priority(-3);
  rule.policy.set_supersede(common::v1::SUPERSEDE_POLICY_SKIP_QUEUED);
  rule.policy.set_infrastructure_retries(0);
  rule.recipe.add_secrets()->set_id("npm");
  const auto json = SpecToJson(rule);
  ASSERT_TRUE(json.ok()) << json.status();
  Rule read;
  ASSERT_TRUE(SpecFromJson(*json, read).ok());
  EXPECT_EQ(read.branches, rule.branches);
  EXPECT_EQ(read.tags, rule.tags);
  EXPECT_EQ(ToProto(read).trigger().SerializeAsString(), ToProto(rule).trigger().SerializeAsString());
  EXPECT_EQ(read.exclude_authors, rule.exclude_authors);
  EXPECT_EQ(read.skip_marks, SkipMarks::kIgnored);
  EXPECT_EQ(read.recipe.SerializeAsString(), rule.recipe.SerializeAsString());
  EXPECT_EQ(read.destination.SerializeAsString(), rule.destination.SerializeAsString());
  EXPECT_EQ(read.tag_templates, rule.tag_templates);
  EXPECT_EQ(read.policy.SerializeAsString(), rule.policy.SerializeAsString());
}

TEST(RuleConversionTest, AFieldOfANewerVersionIsIgnored) {
  Rule read;
  EXPECT_TRUE(SpecFromJson(R"({"tag_templates": ["latest"], "from_the_future": 1})", read).ok());
  EXPECT_EQ(read.tag_templates.size(), 1);
  EXPECT_FALSE(SpecFromJson("{", read).ok());
}

TEST(RuleConversionTest, TheEtagStandsForTheVersion) {
  const auto version = VersionFromEtag(ToProto(MakeRule()).etag());
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(*version, 7);
  EXPECT_FALSE(VersionFromEtag("7").ok());
  EXPECT_FALSE(VersionFromEtag("vx").ok());
}

TEST(RuleConversionTest, AClientWritesOnlyWhatIsWritable) {
  rules::v1::Rule message = ToProto(MakeRule());
  message.set_id("rul_2");
  message.set_project("other");
  message.set_display_name("renamed");
  Rule rule = MakeRule();
  AssignWritable(message, rule);
  EXPECT_EQ(rule.id, "rul_1");
  EXPECT_EQ(rule.project, "");
  EXPECT_EQ(rule.display_name, "renamed");
}

}  // namespace
}  // namespace davit::rule_engine
