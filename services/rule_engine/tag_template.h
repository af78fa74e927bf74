// Names of image tags made from a push. Owns the parsed template; immutable, usable from any thread.
#pragma once

#include <cstdint>
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
  // When the push was received, or the manual build asked for.
  absl::Time time;
  // The rule's build number, from 1.
  int64_t number = 1;
};

// A tag template such as "{branch}-{time:%Y%m%d}-{commit:7}". Literal text may hold what OCI allows in a tag: letters,
// digits, '_', '.', '-'. Variables:
//   {branch}, {tag}  the short name of the branch, of the tag; the template applies to pushes of that kind only.
//   {ref}            the short name of whichever was pushed. {ref:N} and the like: at most N characters (16 to 100).
//   {commit}         the full commit id; {commit:N} its first N digits (4 to 40).
//   {time}           %Y%m%d-%H%M%S in UTC; {time:FORMAT} takes %Y %m %d %H %M %S %y %j and %s (seconds since 1970);
//                    {time@ZONE} and {time:FORMAT@ZONE} in a zone of the IANA database.
//   {number}         the rule's build number.
//
// Names become tags by a fixed rule under which two names do not meet in one tag: a name that a tag can hold stays as
// it is; in any other each run of characters that a tag cannot hold (a '/' for one) becomes one '-', and a mark is
// appended: '-' and 8 hexadecimal digits of the name's SHA-256. feature/login becomes feature-login-df7c7aeb, which is
// neither what feature-login becomes nor what feature#login does. A name that ends like a mark gets one, too: no branch
// can be given the tag of another by its name. The digits are the first 8 in a row with a letter among them, so that
// release-20240101 does not end like a mark. A name that is too long is cut before the mark, and so is a tag of more
// than 128 characters, with a mark of the uncut tag.
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

  // Whether the template names {number}.
  bool NamesNumber() const;

  // The tag for one build: always valid by OCI's grammar, and the same for the same inputs. FAILED_PRECONDITION when
  // the template does not apply to inputs.ref.
  absl::StatusOr<std::string> Render(const TagInputs& inputs) const;

  // The template as it was written.
  const std::string& text() const { return text_; }

 private:
  enum class PartKind { kLiteral, kBranch, kTag, kRef, kCommit, kTime, kNumber };
  struct Part {
    PartKind kind;
    // The literal text, or the time format.
    std::string text = {};
    // How much of the commit id; how long a name may be (0 = as long as it is).
    size_t length = 0;
    // Of the time.
    absl::TimeZone zone = absl::UTCTimeZone();
  };

  static absl::StatusOr<Part> ParseVariable(absl::string_view variable);
  static absl::StatusOr<Part> ParseTime(absl::string_view variable);

  std::string text_;
  std::vector<Part> parts_;
};

// A branch or tag name as part of an image tag, by the rule above; at most `longest` characters (0 = any number).
std::string TagTextForName(absl::string_view name, size_t longest = 0);

}  // namespace davit::rule_engine
