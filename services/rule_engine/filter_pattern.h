// Patterns on the paths that a push changes and on its author. Owns the compiled form; immutable, usable from any
// thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace davit::rule_engine {

// One path or author pattern, in one of three forms:
//   text           exactly this path; this name or e-mail address, of which case does not count.
//   docs/**/*.md   a glob. For paths `*` stands for any run of characters without '/', `**` for any run at all, `**/`
//   also
//                  for nothing, `?` for one character but '/', and a '/' at the end for everything below. For authors
//                  `*` stands for any run of characters and `?` for one.
//   re:EXPRESSION  an RE2 expression that the whole text must match.
// Cheap to copy: copies share the compiled expression.
class FilterPattern {
 public:
  // What a pattern is about.
  enum class Subject { kPath, kAuthor };

  // Compiles `text`. INVALID_ARGUMENT "pattern rejected: REASON" when it is empty, longer than 256 bytes, not valid,
  // can never match, or is too complex (see bounded_expression.h).
  static absl::StatusOr<FilterPattern> Compile(Subject subject, absl::string_view text);

  // Whether the whole of `text` matches.
  bool Matches(absl::string_view text) const;

  // The pattern as it was written.
  const std::string& text() const { return text_; }

 private:
  FilterPattern(std::string text, std::shared_ptr<const re2::RE2> expression)
      : text_(std::move(text)), expression_(std::move(expression)) {}

  std::string text_;
  std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace davit::rule_engine
