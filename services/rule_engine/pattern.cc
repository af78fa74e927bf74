// Compilation of patterns to RE2 within a fixed budget. Owns nothing beyond what it returns; stateless.
#include "services/rule_engine/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxPatternBytes = 256;
// RE2 instructions; a 256-byte pattern without counted repetition stays far below.
constexpr int kMaxProgramSize = 4000;
// Bytes that RE2 may use for one expression's program and its match-time cache.
constexpr int64_t kMaxMemory = 1 << 20;

absl::Status Rejected(absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat("pattern rejected: ", reason));
}

absl::StatusOr<std::shared_ptr<const re2::RE2>> CompileExpression(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMaxMemory);
  auto compiled = std::make_shared<const re2::RE2>(expression, options);
  if (!compiled->ok()) return Rejected(compiled->error());
  if (compiled->ProgramSize() > kMaxProgramSize) {
    return Rejected(absl::StrCat("too complex (", compiled->ProgramSize(), " steps, limit ", kMaxProgramSize,
                                 "); use fewer or smaller counted repetitions"));
  }
  return compiled;
}

// What a name pattern (exact or glob) must satisfy to be able to match any ref at all.
absl::Status CheckName(absl::string_view text) {
  for (const char c : text) {
    if (absl::StrContains(" ~^:[\\", absl::string_view(&c, 1))) {
      return Rejected(
          absl::StrCat("'", absl::string_view(&c, 1),
                       "' cannot occur in a branch or tag name; a pattern is a name, a name with *, ** or ?, or "
                       "re: and a regular expression"));
    }
  }
  if (absl::StartsWith(text, "refs/")) {
    return Rejected(
        "a name has no refs/heads/ or refs/tags/ in front; write the short name, or re: to match the full ref");
  }
  if (absl::StartsWith(text, "/") || absl::EndsWith(text, "/") || absl::StrContains(text, "//")) {
    return Rejected("a name neither begins nor ends with '/' and has no empty component");
  }
  if (absl::StrContains(text, "***")) return Rejected("\"***\" has no meaning; use * or **");
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
  if (text.empty()) return Rejected("it is empty");
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return Rejected("it contains a control character");
  }
  if (text.size() > kMaxPatternBytes) return Rejected(absl::StrCat("longer than ", kMaxPatternBytes, " bytes"));
  absl::string_view expression = text;
  const bool is_expression = absl::ConsumePrefix(&expression, "re:");
  if (is_expression) {
    if (expression.empty()) return Rejected("re: is followed by no regular expression");
    auto compiled = CompileExpression(std::string(expression));
    if (!compiled.ok()) return compiled.status();
    return Pattern(std::string(text), true, *std::move(compiled));
  }
  if (const absl::Status status = CheckName(text); !status.ok()) return status;
  if (text.find_first_of("*?") == absl::string_view::npos) return Pattern(std::string(text), false, nullptr);
  auto compiled = CompileExpression(GlobToExpression(text));
  if (!compiled.ok()) return compiled.status();
  return Pattern(std::string(text), false, *std::move(compiled));
}

bool Pattern::Matches(const GitRef& ref) const {
  const std::string& subject = sees_full_ref_ ? ref.full : ref.name;
  if (expression_ == nullptr) return subject == text_;
  return re2::RE2::FullMatch(subject, *expression_);
}

}  // namespace davit::rule_engine
