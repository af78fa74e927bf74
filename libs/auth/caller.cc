// Implements caller.h and the shared error of authenticator.h.
#include "libs/auth/caller.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/auth/authenticator.h"
#include "libs/status/status_macros.h"

namespace davit::auth {

absl::Status CheckProjectName(absl::string_view project) {
  bool good = !project.empty() && project.size() <= 63 && project[0] != '-';
  for (const char c : project) good = good && (absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-');
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "project: a name is 1 to 63 of a-z, 0-9 and \"-\" and begins with a letter or a digit");
}

absl::StatusOr<std::string> ResolveProject(const Caller& caller, absl::string_view requested) {
  if (requested.empty()) return caller.of_all_projects() ? std::string(kDefaultProject) : caller.project;
  DAVIT_RETURN_IF_ERROR(CheckProjectName(requested));
  if (caller.of_all_projects() || caller.project == requested) return std::string(requested);
  return absl::PermissionDeniedError(absl::StrCat("project: the token belongs to project \"", caller.project,
                                                  "\" and cannot be used for \"", requested, "\""));
}

absl::Status InvalidTokenError() { return absl::UnauthenticatedError("token is not valid or was revoked"); }

}  // namespace davit::auth
