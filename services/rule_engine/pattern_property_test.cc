// A property of patterns over many random globs and names: they match what a glob matcher written the obvious way
// matches.
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/rule_engine/filter_pattern.h"
#include "services/rule_engine/pattern.h"

namespace davit::rule_engine {
namespace {

// The meaning of a path glob by its definition, in exponential time.
bool GlobMatches(const std::string& glob, const std::string& text, size_t g = 0, size_t t = 0) {
  if (g == glob.size()) return t == text.size();
  const bool at_segment = g == 0 || glob[g - 1] == '/';
  if (at_segment && glob.compare(g, 3, "**/") == 0) {
    if (GlobMatches(glob, text, g + 3, t)) return true;
    for (size_t end = t; end < text.size(); ++end) {
      if (text[end] == '/' && GlobMatches(glob, text, g + 3, end + 1)) return true;
    }
    return false;
  }
  if (glob.compare(g, 2, "**") == 0) {
    for (size_t end = t; end <= text.size(); ++end) {
      if (GlobMatches(glob, text, g + 2, end)) return true;
    }
    return false;
  }
  if (glob[g] == '*') {
    for (size_t end = t; end <= text.size(); ++end) {
      if (GlobMatches(glob, text, g + 1, end)) return true;
      if (end < text.size() && text[end] == '/') return false;
    }
    return false;
  }
  if (t == text.size()) return false;
  if (glob[g] == '?' ? text[t] == '/' : glob[g] != text[t]) return false;
  return GlobMatches(glob, text, g + 1, t + 1);
}

std::string RandomText(std::mt19937& random, const std::string& alphabet, size_t longest) {
  std::string text;
  for (size_t length = 1 + random() % longest; length > 0; --length) text += alphabet[random() % alphabet.size()];
  return text;
}

TEST(PatternPropertyTest, PathGlobsMeanWhatTheirDefinitionSays) {
  std::mt19937 random(7);  // NOLINT: a fixed seed makes a failure repeatable
  int matched = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string glob = RandomText(random, "ab/**?", 7);
    const auto pattern = FilterPattern::Compile(FilterPattern::Subject::kPath, glob);
    if (!pattern.ok() || glob.back() == '/') continue;
    for (int j = 0; j < 20; ++j) {
      const std::string path = RandomText(random, "ab/", 6);
      const bool expected = GlobMatches(glob, path);
      ASSERT_EQ(pattern->Matches(path), expected) << glob << " " << path;
      matched += expected ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 500);
}

// The characters of UTF-8 text.
std::vector<std::string> Characters(const std::string& text) {
  std::vector<std::string> characters;
  for (const char c : text) {
    if (characters.empty() || (static_cast<unsigned char>(c) & 0xc0) != 0x80) characters.emplace_back();
    characters.back() += c;
  }
  return characters;
}

// The meaning of a glob on a ref's name by its definition: `*` any run without '/', `**` any run, `?` one character but
// '/'.
bool NameMatches(const std::vector<std::string>& glob, const std::vector<std::string>& name, size_t g = 0,
                 size_t n = 0) {
  if (g == glob.size()) return n == name.size();
  const bool deep = glob[g] == "*" && g + 1 < glob.size() && glob[g + 1] == "*";
  if (glob[g] == "*") {
    for (size_t end = n; end <= name.size(); ++end) {
      if (NameMatches(glob, name, g + (deep ? 2 : 1), end)) return true;
      if (end < name.size() && !deep && name[end] == "/") return false;
    }
    return false;
  }
  if (n == name.size() || (glob[g] == "?" ? name[n] == "/" : glob[g] != name[n])) return false;
  return NameMatches(glob, name, g + 1, n + 1);
}

// Text of whole characters, so that names of any script are tried.
std::string RandomWord(std::mt19937& random, const std::vector<std::string>& pieces, size_t longest) {
  std::string text;
  for (size_t length = 1 + random() % longest; length > 0; --length) text += pieces[random() % pieces.size()];
  return text;
}

TEST(PatternPropertyTest, GlobsOnRefsMeanWhatTheirDefinitionSaysInAnyScript) {
  std::mt19937 random(17);  // NOLINT: a fixed seed makes a failure repeatable
  const std::vector<std::string> letters = {"a", "b", "/", "-", ".", "+", "$", "(", "|", "ä", "日", "\xf0\x9f\x9a\xa2"};
  std::vector<std::string> pieces = letters;
  pieces.insert(pieces.end(), {"*", "**", "?", "*", "**"});
  int matched = 0;
  for (int i = 0; i < 8000; ++i) {
    const auto pattern = Pattern::Compile(RandomWord(random, pieces, 6));
    if (!pattern.ok()) continue;
    for (int j = 0; j < 15; ++j) {
      const auto ref = GitRef::Parse("refs/heads/" + RandomWord(random, letters, 5));
      if (!ref.ok()) continue;
      const bool expected = NameMatches(Characters(pattern->text()), Characters(ref->name));
      ASSERT_EQ(pattern->Matches(*ref), expected) << pattern->text() << " " << ref->name;
      matched += expected ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 500);
}

TEST(PatternPropertyTest, AnExpressionSeesTheWholeFullRef) {
  std::mt19937 random(19);  // NOLINT: a fixed seed makes a failure repeatable
  const std::vector<std::string> pieces = {"a",  "b",    "refs/heads/", "refs/tags/", "refs/(heads|tags)/",
                                           ".*", "[ab]", "a+",          "(a|b)",      "/",
                                           "^",  "$",    ".",           "b?",         "\\."};
  int matched = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string expression = RandomWord(random, pieces, 5);
    const auto pattern = Pattern::Compile("re:" + expression);
    if (!pattern.ok()) continue;
    const std::regex reference(expression);
    for (int j = 0; j < 10; ++j) {
      const std::string full = (random() % 2 == 0 ? "refs/heads/" : "refs/tags/") + RandomText(random, "aab./", 4);
      const auto ref = GitRef::Parse(full);
      if (!ref.ok()) continue;
      const bool expected = std::regex_match(full, reference);
      ASSERT_EQ(pattern->Matches(*ref), expected) << expression << " " << full;
      matched += expected ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 300);
}

TEST(PatternPropertyTest, APatternOfARefMatchesTheSameEachTimeAndItsOwnNameAlways) {
  std::mt19937 random(11);  // NOLINT: a fixed seed makes a failure repeatable
  int named = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string name = RandomText(random, "abAB.-_/1", 10);
    const auto ref = GitRef::Parse("refs/heads/" + name);
    const auto pattern = Pattern::Compile(name);
    if (!ref.ok() || !pattern.ok()) continue;
    ++named;
    EXPECT_TRUE(pattern->Matches(*ref)) << name;
    EXPECT_TRUE(Pattern::Compile("**")->Matches(*ref)) << name;
    const auto glob = Pattern::Compile(RandomText(random, "abAB.-_/1**?", 8));
    if (!glob.ok()) continue;
    EXPECT_EQ(glob->Matches(*ref), Pattern::Compile(glob->text())->Matches(*ref)) << glob->text();
  }
  EXPECT_GT(named, 500);
}

}  // namespace
}  // namespace davit::rule_engine
