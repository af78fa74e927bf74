// Regular expressions whose cost is bounded when they are compiled. Owns nothing beyond what it returns; any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace davit::rule_engine {

// Whether an expression tells upper from lower case.
enum class LetterCase { kCounts, kIgnored };

// INVALID_ARGUMENT "pattern rejected: REASON".
absl::Status PatternRejected(absl::string_view reason);

// What holds for every pattern before it is read: not empty, at most 256 bytes, no control characters. Else
// PatternRejected.
absl::Status CheckPatternText(absl::string_view text);

// Compiles an RE2 expression. PatternRejected when it is not valid or compiles to more than the engine's budget, so
// that no pattern can make matching slow (RE2 itself is linear).
absl::StatusOr<std::shared_ptr<const re2::RE2>> CompileBounded(const std::string& expression, LetterCase letter_case);

}  // namespace davit::rule_engine
