// Reading of patterns and their globs. Owns nothing beyond what it returns; stateless.
#include "services/rule_engine/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/rule_engine/bounded_expression.h"

namespace davit::rule_engine {
namespace {

// What a name pattern (exact or glob) must satisfy to be able to match any ref at all.
absl::Status CheckName(absl::string_view text) {
  for (const char c : text) {
    if (absl::StrContains(" ~^:[\\", absl::string_view(&c, 1))) {
      return PatternRejected(
          absl::StrCat("'", absl::string_view(&c, 1),
                       "' cannot occur in a branch or tag name; a pattern is a name, a name with *, ** or ?, or "
                       "re: and a regular expression"));
    }
  }
  if (absl::StartsWith(text, "refs/")) {
    return PatternRejected(
        "a name has no refs/heads/ or refs/tags/ in front; write the short name, or re: to match the full ref");
  }
  if (absl::StartsWith(text, "/") || absl::EndsWith(text, "/") || absl::StrContains(text, "//")) {
    return PatternRejected("a name neither begins nor ends with '/' and has no empty component");
  }
  if (absl::StrContains(text, "***")) return PatternRejected("\"***\" has no meaning; use * or **");
  return absl::OkStatus();
}

std::string GlobToExpression(absl::string_view glob) {
  std::string expression;
  while (!glob.empty()) {
    if (absl::ConsumePrefix(&glob, "**")) {
      expression += ".*";
    } else if (absl::ConsumePrefix(&glob, "*")) {
      expression += "[^/]*";
    } else if (absl::ConsumePrefix(&glob, "?")) {
      expression += "[^/]";
    } else {
      const size_t end = std::min(glob.find_first_of("*?"), glob.size());
      expression += re2::RE2::QuoteMeta(re2::StringPiece(glob.data(), end));
      glob.remove_prefix(end);
    }
  }
  return expression;
}

}  // namespace

absl::StatusOr<Pattern> Pattern::Compile(absl::string_view text) {
  if (const absl::Status status = CheckPatternText(text); !status.ok()) return status;
  absl::string_view expression = text;
  const bool is_expression = absl::ConsumePrefix(&expression, "re:");
  if (is_expression) {
    if (expression.empty()) return PatternRejected("re: is followed by no regular expression");
    auto compiled = CompileBounded(std::string(expression), LetterCase::kCounts);
    if (!compiled.ok()) return compiled.status();
    return Pattern(std::string(text), true, *std::move(compiled));
  }
  if (const absl::Status status = CheckName(text); !status.ok()) return status;
  if (text.find_first_of("*?") == absl::string_view::npos) return Pattern(std::string(text), false, nullptr);
  auto compiled = CompileBounded(GlobToExpression(text), LetterCase::kCounts);
  if (!compiled.ok()) return compiled.status();
  return Pattern(std::string(text), false, *std::move(compiled));
}

bool Pattern::Matches(const GitRef& ref) const {
  const std::string& subject = sees_full_ref_ ? ref.full : ref.name;
  if (expression_ == nullptr) return subject == text_;
  return re2::RE2::FullMatch(subject, *expression_);
}

}  // namespace davit::rule_engine
