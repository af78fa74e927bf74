// Patterns that say which branches or tags a rule builds. Owns the compiled form; immutable, usable from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/rule_engine/git_ref.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace davit::rule_engine {

// One branch or tag pattern, in one of three forms:
//   main           exactly this name (case counts).
//   release/*      a glob on the name: `*` stands for any run of characters without '/', `**` for any run at all, `?`
//                  for one character but '/'.
//   re:EXPRESSION  an RE2 expression that the full ref ("refs/heads/main") must match from its first to its last
//                  character.
// Cheap to copy: copies share the compiled expression.
class Pattern {
 public:
  // Compiles `text`. INVALID_ARGUMENT "pattern rejected: REASON" when it is empty, longer than 256 bytes, not valid,
  // can never match a ref, or compiles to more than the engine's budget (so that no rule can make matching slow; RE2
  // itself is linear).
  static absl::StatusOr<Pattern> Compile(absl::string_view text);

  // Whether the pattern matches the ref; whether a pattern is for branches or for tags is the caller's knowledge.
  bool Matches(const GitRef& ref) const;

  // The pattern as it was written.
  const std::string& text() const { return text_; }

 private:
  Pattern(std::string text, bool sees_full_ref, std::shared_ptr<const re2::RE2> expression)
      : text_(std::move(text)), sees_full_ref_(sees_full_ref), expression_(std::move(expression)) {}

  std::string text_;
  bool sees_full_ref_;
  // Null for an exact name.
  std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace davit::rule_engine
