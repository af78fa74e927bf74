// Tests of branch and tag patterns.
#include "services/rule_engine/pattern.h"

#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

bool Matches(const std::string& pattern, const std::string& full_ref) {
  const auto compiled = Pattern::Compile(pattern);
  const auto ref = GitRef::Parse(full_ref);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_TRUE(ref.ok()) << ref.status();
  return compiled.ok() && ref.ok() && compiled->Matches(*ref);
}

TEST(PatternTest, AnExactNameMatchesOnlyItself) {
  EXPECT_TRUE(Matches("main", "refs/heads/main"));
  EXPECT_FALSE(Matches("main", "refs/heads/Main"));
  EXPECT_FALSE(Matches("main", "refs/heads/main2"));
  EXPECT_FALSE(Matches("main", "refs/heads/x/main"));
}

TEST(PatternTest, OneStarStaysInsideASegment) {
  EXPECT_TRUE(Matches("release/*", "refs/heads/release/1.0"));
  EXPECT_FALSE(Matches("release/*", "refs/heads/release/1.0/hotfix"));
  EXPECT_FALSE(Matches("*", "refs/heads/a/b"));
  EXPECT_TRUE(Matches("v*.*", "refs/tags/v1.2"));
  EXPECT_FALSE(Matches("v*.*", "refs/tags/v12"));
}

TEST(PatternTest, TwoStarsCrossSegments) {
  EXPECT_TRUE(Matches("**", "refs/heads/a/b/c"));
  EXPECT_TRUE(Matches("feature/**", "refs/heads/feature/a/b"));
  EXPECT_TRUE(Matches("**/fix", "refs/heads/a/b/fix"));
  EXPECT_FALSE(Matches("**/fix", "refs/heads/fix"));
}

TEST(PatternTest, AQuestionMarkIsOneCharacter) {
  EXPECT_TRUE(Matches("v?", "refs/tags/v1"));
  EXPECT_TRUE(Matches("v?", "refs/tags/vä"));
  EXPECT_FALSE(Matches("v?", "refs/tags/v"));
  EXPECT_FALSE(Matches("v?x", "refs/tags/v/x"));
}

TEST(PatternTest, GlobCharactersOfExpressionsAreLiteral) {
  EXPECT_TRUE(Matches("v1.*", "refs/tags/v1.2"));
  EXPECT_FALSE(Matches("v1.*", "refs/tags/v1x2"));
  EXPECT_TRUE(Matches("a+b*", "refs/heads/a+bc"));
  EXPECT_TRUE(Matches("größe-*", "refs/heads/größe-日本"));
}

TEST(PatternTest, AnExpressionSeesTheWholeFullRef) {
  EXPECT_TRUE(Matches("re:^refs/heads/master$", "refs/heads/master"));
  EXPECT_TRUE(Matches("re:refs/heads/(main|dev)", "refs/heads/dev"));
  EXPECT_FALSE(Matches("re:refs/heads/main", "refs/heads/maintenance"));
  EXPECT_FALSE(Matches("re:main", "refs/heads/main"));
}

TEST(PatternTest, RejectedPatternsSayWhy) {
  for (const std::string bad : {"",
                                "re:",
                                "re:(",
                                "re:(a",
                                "re:[z-a]",
                                "re:*",
                                "re:(?=x)",
                                "re:\\1",
                                "re:(a{1000}){1000}",
                                "re:((a{100}){100}){100}",
                                "re:x{900}y{900}z{900}a{900}b{900}",
                                "refs/heads/main",
                                "a b",
                                "a:b",
                                "[ab]",
                                "/a",
                                "a/",
                                "a//b",
                                "***",
                                "a\nb",
                                "re:\xff\xfe"}) {
    const auto pattern = Pattern::Compile(bad);
    ASSERT_EQ(pattern.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_TRUE(absl::StartsWith(pattern.status().message(), "pattern rejected: ")) << pattern.status();
    EXPECT_GT(pattern.status().message().size(), 20) << bad;
  }
  EXPECT_FALSE(Pattern::Compile(std::string(257, 'a')).ok());
}

TEST(PatternTest, WhatBacktracksElsewhereIsLinearHere) {
  const auto pattern = Pattern::Compile("re:refs/heads/(a+)+b");
  ASSERT_TRUE(pattern.ok()) << pattern.status();
  const auto ref = GitRef::Parse(absl::StrCat("refs/heads/", std::string(1000, 'a')));
  ASSERT_TRUE(ref.ok());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(pattern->Matches(*ref));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

}  // namespace
}  // namespace davit::rule_engine
