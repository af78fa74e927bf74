// Compilation to RE2 within a fixed budget. Owns nothing; stateless.
#include "services/rule_engine/bounded_expression.h"

#include <re2/re2.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxPatternBytes = 256;
// RE2 instructions; a 256-byte pattern without counted repetition stays far below.
constexpr int kMaxProgramSize = 4000;
// Bytes that RE2 may use for one expression's program and its match-time cache.
constexpr int64_t kMaxMemory = 1 << 20;

}  // namespace

absl::Status PatternRejected(absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat("pattern rejected: ", reason));
}

absl::Status CheckPatternText(absl::string_view text) {
  if (text.empty()) return PatternRejected("it is empty");
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return PatternRejected("it contains a control character");
  }
  if (text.size() > kMaxPatternBytes) return PatternRejected(absl::StrCat("longer than ", kMaxPatternBytes, " bytes"));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const re2::RE2>> CompileBounded(const std::string& expression, LetterCase letter_case) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMaxMemory);
  options.set_case_sensitive(letter_case == LetterCase::kCounts);
  auto compiled = std::make_shared<const re2::RE2>(expression, options);
  if (!compiled->ok()) return PatternRejected(compiled->error());
  if (compiled->ProgramSize() > kMaxProgramSize) {
    return PatternRejected(absl::StrCat("too complex (", compiled->ProgramSize(), " steps, limit ", kMaxProgramSize,
                                        "); use fewer or smaller counted repetitions"));
  }
  return compiled;
}

}  // namespace davit::rule_engine
