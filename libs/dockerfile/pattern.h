// Matches paths against .dockerignore patterns, with the verdicts of moby's patternmatcher: BuildKit sends such
// patterns as exclude- and include-patterns, and an equal context needs equal verdicts. Immutable after it is made;
// usable from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::dockerfile {

// Reads the lines of a .dockerignore: comments and blank lines dropped, each pattern cleaned, a leading slash removed.
std::vector<std::string> ReadIgnoreFile(absl::string_view content);

class PatternMatcher {
 public:
  // What is known about a directory when its children are matched.
  struct Verdict {
    // The path is matched (for exclude-patterns: left out).
    bool matched = false;
    // For each pattern, whether it matched this path or one of its parents. Given back for the children.
    std::vector<bool> pattern_matched;
  };

  // INVALID_ARGUMENT: `pattern rejected: …` for a malformed pattern (an open bracket, a lone `!`).
  static absl::StatusOr<PatternMatcher> Create(const std::vector<std::string>& patterns);
  PatternMatcher(PatternMatcher&&) noexcept;
  PatternMatcher& operator=(PatternMatcher&&) noexcept;
  ~PatternMatcher();

  // Whether the path or one of its parents is matched, the last pattern that matches deciding and `!` patterns taking
  // back. `path` is relative,
  // `/`-separated.
  bool Matches(absl::string_view path) const;

  // For a walk that goes parents first: `parent` is the verdict on the containing directory (a default Verdict at the
  // root). What BuildKit's walk says. It is what Matches says, unless a `!` pattern (or one behind it) matches the
  // directory without changing its verdict: as in moby the walk does not remember that, and asks only about the path.
  Verdict MatchChild(absl::string_view path, const Verdict& parent) const;

  // Whether a directory that is itself left out may hold paths that a `!` pattern takes back: if not, a walk need not
  // enter it.
  bool MayTakeBackBelow(absl::string_view directory) const;

  // Whether anything below the directory may be matched: for include-patterns, if not, a walk need not enter it.
  bool MayMatchBelow(absl::string_view directory) const;

  bool empty() const;

 private:
  struct Pattern;
  explicit PatternMatcher(std::vector<Pattern> patterns);

  std::vector<Pattern> patterns_;
};

}  // namespace davit::dockerfile
