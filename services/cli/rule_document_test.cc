// Tests of rules as YAML.
#include "services/cli/rule_document.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::cli {
namespace {

RuleSpec MakeRule() {
  RuleSpec rule;
  rule.set_id("rul_1");
  rule.set_etag("v1");
  rule.set_display_name("app");
  rule.set_enabled(true);
  rule.set_connection_id("con_1");
  rule.set_repository("team/app");
  rule.mutable_trigger()->add_branches("release/*");
  rule.mutable_trigger()->add_exclude_authors("*[bot]");
  rule.mutable_trigger()->set_ignore_skip_marks(true);
  rule.mutable_recipe()->set_dockerfile_path("Dockerfile");
  (*rule.mutable_recipe()->mutable_build_args())["DEBUG"] = "true";
  (*rule.mutable_recipe()->mutable_build_args())["A"] = "1: 2 # 3\n'\"";
  rule.mutable_recipe()->mutable_timeout()->set_seconds(5400);
  rule.mutable_destination()->set_repository("127.0.0.1:5000/team/app");
  rule.add_tag_templates("{branch}-{commit:7}");
  common::v1::RecipeSecret& secret = *rule.mutable_recipe()->add_secrets();
  secret.set_id("npm");
  secret.set_secret("npm-token");
  rule.mutable_policy()->set_priority(-5);
  rule.mutable_policy()->set_supersede(common::v1::SUPERSEDE_POLICY_SKIP_QUEUED);
  rule.mutable_policy()->set_infrastructure_retries(0);
  rule.mutable_policy()->mutable_reuse_window()->set_seconds(86400);
  return rule;
}

std::string Error(const std::string& text) { return std::string(ReadRules(text).status().message()); }

TEST(RuleDocumentTest, WhatIsWrittenIsReadBack) {
  RuleSpec disabled = MakeRule();
  disabled.set_display_name("disabled: \"yes\"");
  disabled.set_enabled(false);
  disabled.clear_trigger();
  const std::string text = WriteRules({MakeRule(), disabled});
  EXPECT_FALSE(absl::StrContains(text, "rul_1")) << text;
  EXPECT_TRUE(absl::StrContains(text, "timeout: 1h30m")) << text;
  EXPECT_TRUE(absl::StrContains(text, "supersede: skip_queued")) << text;
  EXPECT_TRUE(absl::StrContains(text, "infrastructure_retries: 0")) << text;
  const auto read = ReadRules(text);
  ASSERT_TRUE(read.ok()) << read.status() << "\n" << text;
  ASSERT_EQ(read->size(), 2);
  std::vector<std::string> fields;
  EXPECT_EQ(DescribeDifference(StripServerFields(MakeRule()), read->at(0), fields), "");
  EXPECT_EQ(DescribeDifference(StripServerFields(disabled), read->at(1), fields), "");
  EXPECT_TRUE(fields.empty());
  EXPECT_EQ(WriteRules(*read), text);
}

TEST(RuleDocumentTest, ADifferenceNamesTheFieldAndShowsBothSides) {
  RuleSpec wanted = MakeRule();
  wanted.set_tag_templates(0, "latest");
  wanted.set_enabled(false);
  std::vector<std::string> fields;
  const std::string text = DescribeDifference(MakeRule(), wanted, fields);
  EXPECT_EQ(fields, (std::vector<std::string>{"enabled", "tag_templates"}));
  EXPECT_TRUE(absl::StrContains(text, "- enabled: true\n+ enabled: false\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "+   - latest\n")) << text;
}

TEST(RuleDocumentTest, AMistakeIsFoundByItsLineAndField) {
  EXPECT_TRUE(absl::StartsWith(Error("a: [b"), "line 1: no YAML: "));
  EXPECT_TRUE(absl::StartsWith(Error("- a"), "line 1: a mapping with one key \"rules\""));
  EXPECT_TRUE(absl::StartsWith(Error("rules:\n  - display_name: a\n    colour: red\n"),
                               "line 3: rules[0]: no field \"colour\""));
  EXPECT_TRUE(
      absl::StartsWith(Error("rules:\n  - display_name: a\n    id: rul_1\n"), "line 3: rules[0]: no field \"id\""));
  EXPECT_EQ(Error("rules:\n  - display_name: a\n    enabled: maybe\n"),
            "line 3: rules[0].enabled: true or false is expected");
  EXPECT_EQ(Error("rules:\n  - display_name: a\n    trigger: {branches: main}\n"),
            "line 3: rules[0].trigger.branches: a list is expected");
  EXPECT_EQ(Error("rules:\n  - repository: a\n"), "line 2: rules[0].display_name: is required");
  EXPECT_TRUE(absl::StrContains(Error("rules:\n  - display_name: a\n  - display_name: a\n"), "an earlier rule"));
  EXPECT_TRUE(absl::StrContains(Error("rules:\n  - display_name: a\n    recipe: {timeout: soon}\n"), "90s, 30m"));
  EXPECT_EQ(Error("rules:\n  - display_name: a\n    policy: {priority: high}\n"),
            "line 3: rules[0].policy.priority: a whole number is expected");
  EXPECT_EQ(Error("rules:\n  - display_name: a\n    policy: {supersede: yes}\n"),
            "line 3: rules[0].policy.supersede: accepted: off, skip_queued, cancel_running");
  EXPECT_TRUE(absl::StartsWith(Error("rules:\n  - display_name: a\n    recipe: {secrets: [{name: npm}]}\n"),
                               "line 3: rules[0].recipe.secrets[0]: no field \"name\"; accepted: id, secret"));
  EXPECT_EQ(Error(std::string((1 << 20) + 1, ' ')), "the document is larger than 1 MiB");
}

TEST(RuleDocumentTest, AliasesCannotMultiplyADocument) {
  std::string text = "rules:\n  - display_name: a\n    tag_templates: [";
  for (int i = 0; i < 100001; ++i) absl::StrAppend(&text, "a,");
  EXPECT_TRUE(absl::StrContains(Error(absl::StrCat(text, "]\n")), "too many values"));
}

}  // namespace
}  // namespace davit::cli
