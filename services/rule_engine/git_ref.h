// The name of a branch or a tag as git writes it in full. Owns its text; immutable, usable from any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::rule_engine {

// A full ref that is a branch ("refs/heads/main") or a tag ("refs/tags/v1"), already checked by Parse.
struct GitRef {
  enum class Kind { kBranch, kTag };

  Kind kind = Kind::kBranch;
  // The full ref.
  std::string full;
  // The part behind refs/heads/ or refs/tags/.
  std::string name;

  // Reads a full ref. INVALID_ARGUMENT "invalid ref: …" for anything that `git check-ref-format` refuses, for other
  // namespaces than refs/heads/ and refs/tags/, for a component that begins with '-' (it could be read as an option)
  // and for more than 1024 bytes.
  static absl::StatusOr<GitRef> Parse(absl::string_view full);

  // "branch" or "tag".
  absl::string_view kind_name() const { return kind == Kind::kBranch ? "branch" : "tag"; }
};

// Whether `text` is a full commit id: 40 lower-case hexadecimal digits, not all zero.
bool IsCommitId(absl::string_view text);

// Whether `text` is the id that git and its hosts write for "no object": 40 zeros.
bool IsZeroCommitId(absl::string_view text);

}  // namespace davit::rule_engine
