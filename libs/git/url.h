// What davit accepts as the address of a git repository and as a name inside it: one place for these rules, used when
// something is saved and again when it is used. Pure functions; usable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/http/address_policy.h"

namespace davit::git {

// The checked address of a repository. Only Parse makes one, so holding one means that it was checked.
class RepositoryUrl {
 public:
  // Accepts `https://host[:port]/path`, and what else `policy` allows (http:// for listed hosts). Errors are
  // INVALID_ARGUMENT and never repeat credentials: `scheme not allowed: …` for anything but http(s) (file://, ext::,
  // ssh://, git@host:path, a path, an option), `URL must not contain credentials`, `address not allowed: …`,
  // `invalid repository URL: …`.
  static absl::StatusOr<RepositoryUrl> Parse(absl::string_view text, const http::AddressPolicy& policy);

  // The whole URL, without a trailing slash.
  const std::string& text() const { return text_; }
  // `host`, or `host:port` when the port is not the scheme's default.
  const std::string& authority() const { return authority_; }
  // Path of the repository on its server, without a leading or trailing slash and without `.git`.
  const std::string& repository_path() const { return repository_path_; }

 private:
  RepositoryUrl() = default;

  std::string text_;
  std::string authority_;
  std::string repository_path_;
};

// Checks a full or short ref name by git's own grammar (git-check-ref-format), refusing also a leading dash.
// INVALID_ARGUMENT: `invalid ref: …`.
absl::Status CheckRefName(absl::string_view ref);

// Checks what a person may name to be built: a branch, a tag, a full ref (refs/…), HEAD, or a commit id. Expressions
// such as `main~2` or `a..b` are refused. INVALID_ARGUMENT: `invalid ref: …`.
absl::Status CheckRevision(absl::string_view revision);

// Checks and cleans a path relative to the root of a repository: `./deploy//x/` becomes `deploy/x`, an empty path or
// `.` becomes the empty string (the root). INVALID_ARGUMENT: `path leaves the repository` when it is absolute or climbs
// out, `invalid path: …` for a NUL or a backslash-free oddity such as a `.git` component.
absl::StatusOr<std::string> CleanRepositoryPath(absl::string_view path);

}  // namespace davit::git
