// Tests of the rules' store on a real PostgreSQL.
#include "services/rule_engine/postgres_rule_store.h"

#include <string>
#include <vector>

#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

class PostgresRuleStoreTest : public StoreFixture {};

TEST_F(PostgresRuleStoreTest, ARuleIsStoredWithEverything) {
  Rule rule = MakeRule();
  rule.repository_case = NameCase::kSensitive;
  (*rule.recipe.mutable_build_args())["A"] = "b";
  const auto created = rules_.Create(rule);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->id.substr(0, 4), "rul_");
  EXPECT_EQ(created->version, 1);
  const auto read = rules_.Get("default", created->id);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->display_name, "app");
  EXPECT_TRUE(read->enabled);
  EXPECT_EQ(read->repository_case, NameCase::kSensitive);
  EXPECT_EQ(read->branches, rule.branches);
  EXPECT_EQ(read->recipe.build_args().at("A"), "b");
  EXPECT_EQ(read->tag_templates, rule.tag_templates);
  EXPECT_EQ(read->create_time, read->update_time);
}

TEST_F(PostgresRuleStoreTest, ANameIsTakenOncePerProject) {
  ASSERT_TRUE(rules_.Create(MakeRule("app")).ok());
  const auto again = rules_.Create(MakeRule("app"));
  EXPECT_EQ(again.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(again.status().message().substr(0, 18), "rule.display_name:");
  EXPECT_TRUE(rules_.Create(MakeRule("app", "other")).ok());
}

TEST_F(PostgresRuleStoreTest, RulesOfOtherProjectsAreNotFound) {
  const auto created = rules_.Create(MakeRule());
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(rules_.Get("other", created->id).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(rules_.SetEnabled("other", created->id, false).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(rules_.Delete("other", created->id).code(), absl::StatusCode::kNotFound);
  Rule stolen = *created;
  stolen.project = "other";
  EXPECT_EQ(rules_.Update(stolen).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(rules_.List("other", {}, "", 10)->empty());
}

TEST_F(PostgresRuleStoreTest, AnUpdateOfAnOldVersionIsRefused) {
  const auto created = rules_.Create(MakeRule());
  ASSERT_TRUE(created.ok()) << created.status();
  Rule change = *created;
  change.display_name = "renamed";
  change.branches = {"dev"};
  const auto updated = rules_.Update(change);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->version, 2);
  EXPECT_EQ(updated->display_name, "renamed");
  EXPECT_EQ(updated->branches, (std::vector<std::string>{"dev"}));
  const auto stale = rules_.Update(change);
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(stale.status().message().substr(0, 10), "rule.etag:");
}

TEST_F(PostgresRuleStoreTest, DisablingIsAChangeOnlyTheFirstTime) {
  const auto created = rules_.Create(MakeRule());
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(rules_.SetEnabled("default", created->id, false)->version, 2);
  const auto again = rules_.SetEnabled("default", created->id, false);
  EXPECT_EQ(again->version, 2);
  EXPECT_FALSE(again->enabled);
}

TEST_F(PostgresRuleStoreTest, RulesAreListedByNameInPages) {
  for (const std::string name : {"c", "a", "b"}) ASSERT_TRUE(rules_.Create(MakeRule(name)).ok());
  Rule elsewhere = MakeRule("d");
  elsewhere.repository = "team/other";
  ASSERT_TRUE(rules_.Create(elsewhere).ok());
  const auto names = [&](const RuleFilter& filter, const std::string& after, int limit) {
    std::string joined;
    const auto rules = rules_.List("default", filter, after, limit);
    if (!rules.ok()) return rules.status().ToString();
    for (const Rule& rule : *rules) joined += rule.display_name;
    return joined;
  };
  EXPECT_EQ(names({}, "", 2), "ab");
  EXPECT_EQ(names({}, "b", 2), "cd");
  EXPECT_EQ(names({"con_1", "TEAM/APP"}, "", 10), "abc");
  EXPECT_EQ(names({"con_2", ""}, "", 10), "");
}

TEST_F(PostgresRuleStoreTest, ADeletedRuleIsGone) {
  const auto created = rules_.Create(MakeRule());
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_TRUE(rules_.Delete("default", created->id).ok());
  EXPECT_EQ(rules_.Delete("default", created->id).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace davit::rule_engine
