// Translation of path and author patterns to RE2. Owns nothing beyond what it returns; stateless.
#include "services/rule_engine/filter_pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/bounded_expression.h"

namespace davit::rule_engine {
namespace {

// Takes the next run of literal characters off the glob and returns it quoted.
std::string QuoteLiteral(absl::string_view& glob) {
  const size_t end = std::min(glob.find_first_of("*?"), glob.size());
  std::string quoted = re2::RE2::QuoteMeta(re2::StringPiece(glob.data(), end));
  glob.remove_prefix(end);
  return quoted;
}

std::string PathGlobToExpression(absl::string_view glob) {
  std::string expression;
  const bool everything_below = absl::EndsWith(glob, "/");
  bool at_segment_start = true;
  while (!glob.empty()) {
    if (at_segment_start && absl::ConsumePrefix(&glob, "**/")) {
      expression += "(?:.*/)?";
      continue;
    }
    if (absl::ConsumePrefix(&glob, "**")) {
      expression += ".*";
    } else if (absl::ConsumePrefix(&glob, "*")) {
      expression += "[^/]*";
    } else if (absl::ConsumePrefix(&glob, "?")) {
      expression += "[^/]";
    } else {
      expression += QuoteLiteral(glob);
      at_segment_start = absl::EndsWith(expression, "/");
      continue;
    }
    at_segment_start = false;
  }
  if (everything_below) expression += ".*";
  return expression;
}

std::string AuthorGlobToExpression(absl::string_view glob) {
  std::string expression;
  while (!glob.empty()) {
    if (absl::ConsumePrefix(&glob, "*")) {
      expression += ".*";
    } else if (absl::ConsumePrefix(&glob, "?")) {
      expression += ".";
    } else {
      expression += QuoteLiteral(glob);
    }
  }
  return expression;
}

absl::Status CheckPath(absl::string_view text) {
  if (absl::StartsWith(text, "/") || absl::StartsWith(text, "./")) {
    return PatternRejected("a path begins at the repository's root, without '/' or './' in front");
  }
  if (absl::StrContains(text, "//")) return PatternRejected("a path has no empty component");
  if (absl::StrContains(text, "***")) return PatternRejected("\"***\" has no meaning; use * or **");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FilterPattern> FilterPattern::Compile(Subject subject, absl::string_view text) {
  DAVIT_RETURN_IF_ERROR(CheckPatternText(text));
  const LetterCase letter_case = subject == Subject::kPath ? LetterCase::kCounts : LetterCase::kIgnored;
  absl::string_view given = text;
  std::string expression;
  if (absl::ConsumePrefix(&given, "re:")) {
    if (given.empty()) return PatternRejected("re: is followed by no regular expression");
    expression = std::string(given);
  } else if (subject == Subject::kPath) {
    DAVIT_RETURN_IF_ERROR(CheckPath(text));
    expression = PathGlobToExpression(text);
  } else {
    expression = AuthorGlobToExpression(text);
  }
  DAVIT_ASSIGN_OR_RETURN(auto compiled, CompileBounded(expression, letter_case));
  return FilterPattern(std::string(text), std::move(compiled));
}

bool FilterPattern::Matches(absl::string_view text) const {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *expression_);
}

}  // namespace davit::rule_engine
