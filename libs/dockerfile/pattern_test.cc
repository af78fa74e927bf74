// Tests of pattern.h against verdicts that moby documents and tests.
#include "libs/dockerfile/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace davit::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Walks from the root to the path, as a walk over a tree would.
bool MatchesByWalking(const PatternMatcher& matcher, absl::string_view path) {
  PatternMatcher::Verdict verdict;
  for (size_t slash = path.find('/'); slash != absl::string_view::npos; slash = path.find('/', slash + 1)) {
    verdict = matcher.MatchChild(path.substr(0, slash), verdict);
  }
  return matcher.MatchChild(path, verdict).matched;
}

void ExpectVerdict(const std::vector<std::string>& patterns, absl::string_view path, bool expected) {
  const auto matcher = PatternMatcher::Create(patterns);
  ASSERT_TRUE(matcher.ok()) << matcher.status();
  EXPECT_EQ(matcher->Matches(path), expected) << absl::StrJoin(patterns, " ") << " on " << path;
  EXPECT_EQ(MatchesByWalking(*matcher, path), expected) << absl::StrJoin(patterns, " ") << " walking to " << path;
}

TEST(PatternMatcherTest, MatchesSinglePatterns) {
  struct Case {
    const char* pattern;
    const char* path;
    bool matched;
  };
  const Case cases[] = {
      {"*", "main.go", true},
      {"*.go", "main.go", true},
      {"*.go", "main.c", false},
      {"*.go", "pkg/main.go", false},
      {"*/*.go", "pkg/main.go", true},
      {"docs", "docs", true},
      {"docs", "docs/a/b", true},
      {"docs", "docs2", false},
      {"docs/", "docs/a", true},
      {"./docs", "docs/a", true},
      {"a/../docs", "docs/a", true},
      {"docs/*", "docs", false},
      {"docs/**", "docs", false},
      {"docs/**", "docs/a/b", true},
      {"**", "a/b/c", true},
      {"**/", "a", true},
      {"**/**", "a/b", true},
      {"**/*.txt", "a.txt", true},
      {"**/*.txt", "x/y/a.txt", true},
      {"**/**/*.txt2", "x/a.txt", false},
      {"**/.git", ".git/config", true},
      {"**/.git", "x/.git", true},
      {"**/.git", "x/a.git", false},
      {"**name", "x/a-name", true},
      {"a**/*.txt", "a/b/c.txt", true},
      {"a**", "ab/c", true},
      {"a/*.txt**", "a/f.txt.gz", true},
      {"a/*.txt", "a/b/f.txt", false},
      {"a[b-d]e", "ace", true},
      {"a[b-d]e", "aae", false},
      {"a[^b-d]e", "aze", true},
      {"a[^b-d]e", "abe", false},
      {"[\\]a]", "]", true},
      {"[\\-x]", "-", true},
      {"[\\-x]", "a", false},
      {"a?b", "axb", true},
      {"a?b", "a/b", false},
      {"a?b",
       "a\xe2\x98\xba"
       "b",
       true},
      {"a.b", "axb", false},
      {"a(b)|c$+{}", "a(b)|c$+{}", true},
      {"a\\*b", "a*b", true},
      {"a\\*b", "axb", false},
      {"/a", "a", false},
      {"temp?", "tempa", true},
      {"*/temp*", "x/temporary.txt", true},
      {"*/*/temp*", "x/temp", false},
      {"-rf", "-rf", true},
      {"with space", "with space", true},
  };
  for (const Case& c : cases) ExpectVerdict({c.pattern}, c.path, c.matched);
}

TEST(PatternMatcherTest, LetsTheLastPatternThatMatchesDecide) {
  ExpectVerdict({"*.md", "!README.md"}, "README.md", false);
  ExpectVerdict({"*.md", "!README.md"}, "OTHER.md", true);
  ExpectVerdict({"!README.md", "*.md"}, "README.md", true);
  ExpectVerdict({"docs", "!docs/README.md"}, "docs/README.md", false);
  ExpectVerdict({"docs", "!docs/README.md"}, "docs/other.md", true);
  ExpectVerdict({"docs/*", "!docs/README.md"}, "docs/README.md", false);
  ExpectVerdict({"*.md", "!README*.md", "README-secret.md"}, "README-secret.md", true);
  ExpectVerdict({"**", "!util/docker/web"}, "util/docker/web/foo", false);
  ExpectVerdict({"**", "!util/docker/web", "util/docker/web/foo"}, "util/docker/web/foo", true);
  ExpectVerdict({"*", "!src", "src/*.tmp"}, "src/main.c", false);
  ExpectVerdict({"*", "!src", "src/*.tmp"}, "src/a.tmp", true);
  ExpectVerdict({"  docs  ", "  !docs/README.md "}, "docs/README.md", false);
}

// As moby's MatchesUsingParentResults and MatchesOrParentMatches differ: for "src" the second pattern changes nothing.
TEST(PatternMatcherTest, AWalkForgetsWhatChangedNothing) {
  const auto matcher = PatternMatcher::Create({"src/*.c", "!src"});
  ASSERT_TRUE(matcher.ok());
  EXPECT_FALSE(matcher->Matches("src/main.c"));
  EXPECT_TRUE(MatchesByWalking(*matcher, "src/main.c"));
}

TEST(PatternMatcherTest, MatchesNothingWithoutPatterns) {
  ExpectVerdict({}, "any/path", false);
  ExpectVerdict({"", "  "}, "any/path", false);
  EXPECT_TRUE(PatternMatcher::Create({""})->empty());
}

TEST(PatternMatcherTest, RejectsMalformedPatterns) {
  for (const char* pattern : {"!", "[", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[^", "[^bc", "\\", "[z-a]"}) {
    const auto matcher = PatternMatcher::Create({pattern});
    EXPECT_EQ(matcher.status().code(), absl::StatusCode::kInvalidArgument) << pattern;
    EXPECT_THAT(std::string(matcher.status().message()), HasSubstr("pattern rejected")) << pattern;
  }
}

TEST(PatternMatcherTest, TellsWhichDirectoriesAWalkMayLeaveOut) {
  const auto exclude = PatternMatcher::Create({"*", "!src/app", "!**/keep", "x"});
  EXPECT_TRUE(exclude->MayTakeBackBelow("src"));
  EXPECT_TRUE(exclude->MayTakeBackBelow("src/app/deep"));
  EXPECT_TRUE(exclude->MayTakeBackBelow("other"));
  const auto literal = PatternMatcher::Create({"*", "!src/app"});
  EXPECT_FALSE(literal->MayTakeBackBelow("other"));
  EXPECT_FALSE(literal->MayTakeBackBelow("src/application"));
  const auto include = PatternMatcher::Create({"src/*.c", "Makefile"});
  EXPECT_TRUE(include->MayMatchBelow("src"));
  EXPECT_TRUE(include->MayMatchBelow("src/x"));
  EXPECT_FALSE(include->MayMatchBelow("doc"));
}

TEST(PatternMatcherTest, StaysLinearOnHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  const auto matcher = PatternMatcher::Create({pattern + "b"});
  ASSERT_TRUE(matcher.ok());
  EXPECT_FALSE(matcher->Matches(std::string(2000, 'a')));
}

TEST(ReadIgnoreFileTest, CleansLines) {
  EXPECT_THAT(ReadIgnoreFile("\xef\xbb\xbf# comment\n\n  docs/ \n/abs//x\n! keep/./it \n!\n#x\n a # b\r\n.\n"),
              ElementsAre("docs", "abs/x", "!keep/it", "!", "a # b", "."));
}

}  // namespace
}  // namespace davit::dockerfile
