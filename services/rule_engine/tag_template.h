// Names of image tags made from a push. Owns the parsed template; immutable, usable from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/rule_engine/git_ref.h"

namespace davit::rule_engine {

// What a template may name.
struct TagInputs {
  // The branch or tag that is built; nothing when a bare commit is.
  std::optional<GitRef> ref;
  // The full commit id.
  std::string commit;
  // When the push was received, or the manual build asked for. Rendered in UTC.
  absl::Time time;
};

// A tag template such as "{branch}-{time:%Y%m%d}-{commit:7}". Literal text may hold what OCI allows in a tag: letters,
// digits, '_', '.', '-'. Variables:
//   {branch}, {tag}  the short name of the branch, of the tag; the template applies to pushes of that kind only.
//   {ref}            the short name of whichever was pushed.
//   {commit}         the full commit id; {commit:N} its first N digits (4 to 40).
//   {time}           %Y%m%d-%H%M%S; {time:FORMAT} takes %Y %m %d %H %M %S %y %j and %s (seconds since 1970).
//
// Names become tags by a fixed rule under which two names do not meet in one tag: a name that a tag can hold stays as
// it is; in any other each run of characters that a tag cannot hold (a '/' for one) becomes one '-', and '-' and the
// first 8 hexadecimal digits of the name's SHA-256 are appended: feature/login becomes feature-login-df7c7aeb, which is
// neither what feature-login becomes nor what feature#login does. A tag of more than 128 characters is cut to 119,
// followed by '-' and 8 digits of the SHA-256 of the uncut tag.
class TagTemplate {
 public:
  // Parses `text`; INVALID_ARGUMENT names the offending part: an unknown variable with the list of those accepted, or
  // "invalid image reference: …" for literal text that no tag may hold.
  static absl::StatusOr<TagTemplate> Parse(absl::string_view text);

  // Whether everything that the template names exists for a build of `ref` (nothing: a bare commit).
  bool AppliesTo(const std::optional<GitRef>& ref) const;
  // Whether the template can apply to some push of a branch (a tag).
  bool AppliesToKind(GitRef::Kind kind) const;

  // Whether pushes of two repositories give different tags: the template names {commit} or {time}.
  bool TellsPushesApart() const;

  // The tag for one build: always valid by OCI's grammar, and the same for the same inputs. FAILED_PRECONDITION when
  // the template does not apply to inputs.ref.
  absl::StatusOr<std::string> Render(const TagInputs& inputs) const;

  // The template as it was written.
  const std::string& text() const { return text_; }

 private:
  enum class PartKind { kLiteral, kBranch, kTag, kRef, kCommit, kTime };
  struct Part {
    PartKind kind;
    // The literal text, or the time format.
    std::string text;
    // How much of the commit id.
    size_t length = 0;
  };

  static absl::StatusOr<Part> ParseVariable(absl::string_view variable);

  std::string text_;
  std::vector<Part> parts_;
};

// A branch or tag name as part of an image tag, by the rule above.
std::string TagTextForName(absl::string_view name);

}  // namespace davit::rule_engine
