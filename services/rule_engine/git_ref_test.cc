// Tests of parsing refs and commit ids.
#include "services/rule_engine/git_ref.h"

#include <string>

#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

TEST(GitRefTest, ABranchKeepsItsSlashes) {
  const auto ref = GitRef::Parse("refs/heads/feature/login");
  ASSERT_TRUE(ref.ok()) << ref.status();
  EXPECT_EQ(ref->kind, GitRef::Kind::kBranch);
  EXPECT_EQ(ref->name, "feature/login");
  EXPECT_EQ(ref->full, "refs/heads/feature/login");
}

TEST(GitRefTest, ATagIsATag) {
  const auto ref = GitRef::Parse("refs/tags/v1.2.3");
  ASSERT_TRUE(ref.ok()) << ref.status();
  EXPECT_EQ(ref->kind, GitRef::Kind::kTag);
  EXPECT_EQ(ref->name, "v1.2.3");
}

TEST(GitRefTest, WhatGitOrSafetyForbidsIsRefused) {
  for (const std::string bad : {"",
                                "main",
                                "refs/heads/",
                                "refs/tags/",
                                "refs/pull/1/head",
                                "refs/heads/--upload-pack=x",
                                "refs/heads/a/-b",
                                "refs/heads/a..b",
                                "refs/heads/a b",
                                "refs/heads/a~1",
                                "refs/heads/a^",
                                "refs/heads/a:b",
                                "refs/heads/a?",
                                "refs/heads/a*",
                                "refs/heads/[a",
                                "refs/heads/a\\b",
                                "refs/heads/.a",
                                "refs/heads/a/.b",
                                "refs/heads/a.lock",
                                "refs/heads/a.lock/b",
                                "refs/heads/a.",
                                "refs/heads/a/",
                                "refs/heads//a",
                                "refs/heads/a@{1}",
                                "refs/heads/a\x01",
                                "refs/heads/a\x7f"}) {
    const auto ref = GitRef::Parse(bad);
    ASSERT_EQ(ref.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(ref.status().message().substr(0, 12), "invalid ref:") << bad;
  }
  EXPECT_FALSE(GitRef::Parse("refs/heads/" + std::string(2000, 'a')).ok());
}

TEST(GitRefTest, UnicodeNamesAreAccepted) { EXPECT_TRUE(GitRef::Parse("refs/heads/größe/日本").ok()); }

TEST(CommitIdTest, OnlyFullLowerCaseNonZeroIdsAreCommits) {
  EXPECT_TRUE(IsCommitId(std::string(39, '0') + "a"));
  EXPECT_TRUE(IsCommitId(std::string(40, 'f')));
  EXPECT_FALSE(IsCommitId(std::string(41, 'f')));
  EXPECT_FALSE(IsCommitId(std::string(40, '0')));
  EXPECT_FALSE(IsCommitId(std::string(40, 'A')));
  EXPECT_FALSE(IsCommitId("abc1234"));
  EXPECT_TRUE(IsZeroCommitId(std::string(40, '0')));
  EXPECT_FALSE(IsZeroCommitId("0"));
}

}  // namespace
}  // namespace davit::rule_engine
