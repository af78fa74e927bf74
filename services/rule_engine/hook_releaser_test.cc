// Tests of the removal of webhooks with the last rule of their repository, on a real store.
#include "services/rule_engine/hook_releaser.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "services/rule_engine/postgres_hook_releases.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

using ::testing::ElementsAre;

class FakeRemover : public HookRemover {
 public:
  absl::Status RemoveHook(const std::string& project, const std::string& connection_id,
                          const std::string& repository) override {
    asked.push_back(absl::StrCat(project, " ", connection_id, " ", repository));
    return error;
  }

  absl::Status error;
  std::vector<std::string> asked;
};

class HookReleaserTest : public StoreFixture {
 protected:
  Rule MustCreate(const std::string& name) {
    Rule rule = MakeRule(name);
    rule.repository = "Team/App";
    return *rules_.Create(rule);
  }

  PostgresHookReleases releases_{*pool_};
  FakeRemover remover_;
  HookReleaser releaser_{releases_, remover_, Logger::Discarding()};
};

TEST_F(HookReleaserTest, TheWebhookGoesWithTheLastRule) {
  const Rule one = MustCreate("one");
  const Rule other = MustCreate("other");
  EXPECT_FALSE(*releaser_.Step());
  ASSERT_TRUE(rules_.Delete("default", one.id).ok());
  EXPECT_TRUE(*releaser_.Step());
  EXPECT_TRUE(remover_.asked.empty()) << "the other rule needs it";
  ASSERT_TRUE(rules_.Delete("default", other.id).ok());
  EXPECT_TRUE(*releaser_.Step());
  EXPECT_THAT(remover_.asked, ElementsAre("default con_1 Team/App"));
  EXPECT_FALSE(*releaser_.Step());
}

TEST_F(HookReleaserTest, ARuleThatWasNotThereReleasesNothing) {
  EXPECT_EQ(rules_.Delete("default", "rul_none").code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(*releaser_.Step());
}

TEST_F(HookReleaserTest, WhatCannotBeAskedNowIsTriedAgainLater) {
  ASSERT_TRUE(rules_.Delete("default", MustCreate("one").id).ok());
  remover_.error = absl::UnavailableError("away");
  EXPECT_TRUE(*releaser_.Step());
  EXPECT_FALSE(*releaser_.Step()) << "not due yet";
  EXPECT_EQ(HookReleaser::DelayAfter(0), absl::Seconds(10));
  EXPECT_EQ(HookReleaser::DelayAfter(3), absl::Seconds(80));
  EXPECT_EQ(HookReleaser::DelayAfter(1000), absl::Hours(1));
  // Another rule that goes makes it due at once.
  ASSERT_TRUE(rules_.Delete("default", MustCreate("two").id).ok());
  remover_.error = absl::OkStatus();
  EXPECT_TRUE(*releaser_.Step());
  EXPECT_EQ(remover_.asked.size(), 2u);
  EXPECT_FALSE(*releaser_.Step());
}

TEST_F(HookReleaserTest, ARefusalEndsTheRelease) {
  ASSERT_TRUE(rules_.Delete("default", MustCreate("one").id).ok());
  remover_.error = absl::FailedPreconditionError("credential rejected by github.com (401)");
  EXPECT_TRUE(*releaser_.Step());
  EXPECT_FALSE(*releaser_.Step());
}

TEST_F(HookReleaserTest, AClaimThatNobodyEndedIsDueAgain) {
  ASSERT_TRUE(rules_.Delete("default", MustCreate("one").id).ok());
  ASSERT_TRUE((*releases_.Claim(absl::ZeroDuration())).has_value());
  EXPECT_TRUE(*releaser_.Step()) << "after the death of who claimed it";
  EXPECT_EQ(remover_.asked.size(), 1u);
}

}  // namespace
}  // namespace davit::rule_engine
