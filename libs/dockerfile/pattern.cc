// Implements pattern.h: each pattern becomes a regular expression (RE2: linear time, whatever the pattern), as in moby.
#include "libs/dockerfile/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/status/status_macros.h"

namespace davit::dockerfile {
namespace {

// More would only be an attack.
constexpr size_t kMaxPatterns = 10'000;

// The shortest path of the same lexical meaning, as Go's filepath.Clean.
std::string CleanPath(absl::string_view path) {
  const bool rooted = absl::StartsWith(path, "/");
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!rooted) {
      parts.push_back(part);
    }
  }
  std::string clean = absl::StrCat(rooted ? "/" : "", absl::StrJoin(parts, "/"));
  return clean.empty() ? "." : clean;
}

absl::Status Rejected(absl::string_view pattern, absl::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat("pattern rejected: \"", absl::Utf8SafeCHexEscape(pattern.substr(0, 200)), "\" ", reason));
}

// Takes one character (a whole UTF-8 sequence) off the front.
absl::string_view TakeCharacter(absl::string_view* text) {
  size_t length = 1;
  while (length < text->size() && (static_cast<unsigned char>((*text)[length]) & 0xc0) == 0x80) ++length;
  const absl::string_view character = text->substr(0, length);
  text->remove_prefix(length);
  return character;
}

// Reads a character of a bracket expression, escaped or not; false when there is none.
bool TakeClassCharacter(absl::string_view* text, std::string* expression) {
  if (text->empty() || (*text)[0] == '-' || (*text)[0] == ']') return false;
  if (absl::ConsumePrefix(text, "\\") && text->empty()) return false;
  absl::StrAppend(expression, RE2::QuoteMeta(std::string(TakeCharacter(text))));
  return true;
}

// `text` begins after the `[`. Appends the bracket expression; false when it is malformed.
bool TakeClass(absl::string_view* text, std::string* expression) {
  absl::StrAppend(expression, absl::ConsumePrefix(text, "^") ? "[^" : "[");
  int ranges = 0;
  while (ranges == 0 || !absl::StartsWith(*text, "]")) {
    if (!TakeClassCharacter(text, expression)) return false;
    if (absl::ConsumePrefix(text, "-")) {
      absl::StrAppend(expression, "-");
      if (!TakeClassCharacter(text, expression)) return false;
    }
    ++ranges;
  }
  text->remove_prefix(1);
  absl::StrAppend(expression, "]");
  return true;
}

bool HasWildcard(absl::string_view component) { return component.find_first_of("*?[\\") != absl::string_view::npos; }

absl::StatusOr<std::string> ToExpression(absl::string_view pattern) {
  std::string expression;
  absl::string_view rest = pattern;
  // moby takes `**name` for anything that ends so, even inside a component, as long as nothing else in it is special.
  if (absl::StartsWith(rest, "**") && !absl::StartsWith(rest, "**/") && !HasWildcard(rest.substr(2))) {
    rest.remove_prefix(2);
    expression = ".*";
  }
  while (!rest.empty()) {
    if (absl::ConsumePrefix(&rest, "**")) {
      // `**` is any number of directories, or, at the end, anything.
      absl::ConsumePrefix(&rest, "/");
      absl::StrAppend(&expression, rest.empty() ? ".*" : "(?:.*/)?");
    } else if (absl::ConsumePrefix(&rest, "*")) {
      absl::StrAppend(&expression, "[^/]*");
    } else if (absl::ConsumePrefix(&rest, "?")) {
      absl::StrAppend(&expression, "[^/]");
    } else if (absl::ConsumePrefix(&rest, "[")) {
      if (!TakeClass(&rest, &expression)) return Rejected(pattern, "has a malformed bracket expression");
    } else {
      if (absl::ConsumePrefix(&rest, "\\") && rest.empty()) return Rejected(pattern, "ends in a backslash");
      absl::StrAppend(&expression, RE2::QuoteMeta(std::string(TakeCharacter(&rest))));
    }
  }
  return expression;
}

// Whether one is the other or a directory above it.
bool OnOneLine(absl::string_view a, absl::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return a.empty() || (absl::StartsWith(b, a) && (a.size() == b.size() || b[a.size()] == '/'));
}

}  // namespace

std::vector<std::string> ReadIgnoreFile(absl::string_view content) {
  std::vector<std::string> patterns;
  absl::ConsumePrefix(&content, "\xef\xbb\xbf");
  for (absl::string_view line : absl::StrSplit(content, '\n')) {
    if (absl::StartsWith(line, "#")) continue;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const bool negated = absl::ConsumePrefix(&line, "!");
    line = absl::StripAsciiWhitespace(line);
    std::string pattern;
    if (!line.empty()) {
      pattern = CleanPath(line);
      if (pattern.size() > 1 && pattern[0] == '/') pattern.erase(0, 1);
    }
    patterns.push_back(absl::StrCat(negated ? "!" : "", pattern));
  }
  return patterns;
}

struct PatternMatcher::Pattern {
  bool negated = false;
  // The directories that the pattern names without a wildcard: everything that it matches is on one line with this.
  std::string literal_prefix;
  std::unique_ptr<RE2> expression;

  bool Matches(absl::string_view path) const {
    return RE2::FullMatch(re2::StringPiece(path.data(), path.size()), *expression);
  }

  bool MatchesPathOrParent(absl::string_view path) const {
    if (Matches(path)) return true;
    for (size_t slash = path.find('/'); slash != absl::string_view::npos; slash = path.find('/', slash + 1)) {
      if (Matches(path.substr(0, slash))) return true;
    }
    return false;
  }
};

PatternMatcher::PatternMatcher(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {}
PatternMatcher::PatternMatcher(PatternMatcher&&) noexcept = default;
PatternMatcher& PatternMatcher::operator=(PatternMatcher&&) noexcept = default;
PatternMatcher::~PatternMatcher() = default;

absl::StatusOr<PatternMatcher> PatternMatcher::Create(const std::vector<std::string>& patterns) {
  if (patterns.size() > kMaxPatterns) return absl::InvalidArgumentError("pattern rejected: more than 10,000 patterns");
  std::vector<Pattern> compiled;
  for (const std::string& text : patterns) {
    const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
    if (trimmed.empty()) continue;
    const std::string clean = CleanPath(trimmed);
    absl::string_view body = clean;
    Pattern pattern;
    pattern.negated = absl::ConsumePrefix(&body, "!");
    if (body.empty()) return Rejected(text, "negates nothing");
    DAVIT_ASSIGN_OR_RETURN(const std::string expression, ToExpression(body));
    std::vector<absl::string_view> literal;
    for (const absl::string_view component : absl::StrSplit(body, '/')) {
      if (HasWildcard(component)) break;
      literal.push_back(component);
    }
    pattern.literal_prefix = absl::StrJoin(literal, "/");
    RE2::Options options(RE2::Quiet);
    options.set_dot_nl(true);
    pattern.expression = std::make_unique<RE2>(expression, options);
    if (!pattern.expression->ok()) return Rejected(text, pattern.expression->error());
    compiled.push_back(std::move(pattern));
  }
  return PatternMatcher(std::move(compiled));
}

bool PatternMatcher::Matches(absl::string_view path) const { return MatchChild(path, Verdict()).matched; }

PatternMatcher::Verdict PatternMatcher::MatchChild(absl::string_view path, const Verdict& parent) const {
  Verdict verdict;
  verdict.pattern_matched.resize(patterns_.size());
  const bool knows_parent = !parent.pattern_matched.empty();
  for (size_t i = 0; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    bool match = knows_parent && parent.pattern_matched[i];
    if (!match) {
      // A pattern that could not change the verdict is not asked, and (as in moby) not remembered for the children
      // either.
      if (pattern.negated != verdict.matched) continue;
      match = knows_parent ? pattern.Matches(path) : pattern.MatchesPathOrParent(path);
    }
    verdict.pattern_matched[i] = match;
    if (match) verdict.matched = !pattern.negated;
  }
  return verdict;
}

bool PatternMatcher::MayTakeBackBelow(absl::string_view directory) const {
  return std::any_of(patterns_.begin(), patterns_.end(), [directory](const Pattern& pattern) {
    return pattern.negated && OnOneLine(pattern.literal_prefix, directory);
  });
}

bool PatternMatcher::MayMatchBelow(absl::string_view directory) const {
  return std::any_of(patterns_.begin(), patterns_.end(), [directory](const Pattern& pattern) {
    return !pattern.negated && OnOneLine(pattern.literal_prefix, directory);
  });
}

bool PatternMatcher::empty() const { return patterns_.empty(); }

}  // namespace davit::dockerfile
