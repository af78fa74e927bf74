// Tests of path and author patterns.
#include "services/rule_engine/filter_pattern.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

using Subject = FilterPattern::Subject;

bool Matches(Subject subject, absl::string_view pattern, absl::string_view text) {
  const auto compiled = FilterPattern::Compile(subject, pattern);
  EXPECT_TRUE(compiled.ok()) << pattern << ": " << compiled.status();
  return compiled.ok() && compiled->Matches(text);
}

TEST(FilterPatternTest, PathsMatchByNameGlobDirectoryOrExpression) {
  const struct {
    const char* pattern;
    const char* path;
    bool matches;
  } kCases[] = {
      {"Dockerfile", "Dockerfile", true},
      {"Dockerfile", "a/Dockerfile", false},
      {"Dockerfile", "dockerfile", false},
      {"a.b", "axb", false},
      {"*.md", "README.md", true},
      {"*.md", "docs/README.md", false},
      {"**/*.md", "README.md", true},
      {"**/*.md", "docs/a/README.md", true},
      {"**/x", "yx", false},
      {"docs/", "docs/a/b", true},
      {"docs/", "docs", false},
      {"docs/**", "docs/a/b", true},
      {"src/**/test/*", "src/test/a", true},
      {"src/**/test/*", "src/a/b/test/c", true},
      {"src/**/test/*", "src/atest/c", false},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"**", "any/thing", true},
      {"re:(src|lib)/.*\\.cc", "lib/a/b.cc", true},
      {"re:src", "src/a", false},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Matches(Subject::kPath, test.pattern, test.path), test.matches) << test.pattern << " " << test.path;
  }
}

TEST(FilterPatternTest, AuthorsMatchInAnyCaseWithBracketsAsTheyAre) {
  EXPECT_TRUE(Matches(Subject::kAuthor, "*[bot]", "dependabot[bot]"));
  EXPECT_TRUE(Matches(Subject::kAuthor, "alice", "Alice"));
  EXPECT_TRUE(Matches(Subject::kAuthor, "*@example.org", "a/b@Example.ORG"));
  EXPECT_FALSE(Matches(Subject::kAuthor, "alice", "alice2"));
}

TEST(FilterPatternTest, APatternThatCanNeverMatchIsRejected) {
  for (const char* text : {"", "/src", "./src", "a//b", "a/***", "re:", "re:(", "a\nb"}) {
    const auto compiled = FilterPattern::Compile(Subject::kPath, text);
    EXPECT_TRUE(absl::StartsWith(compiled.status().message(), "pattern rejected: ")) << text;
  }
  EXPECT_FALSE(FilterPattern::Compile(Subject::kPath, std::string(257, 'a')).ok());
  EXPECT_FALSE(FilterPattern::Compile(Subject::kAuthor, "re:((((a{100}){100}){100}){100})").ok());
}

}  // namespace
}  // namespace davit::rule_engine
