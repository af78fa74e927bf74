// The identity of a call, and what follows from it for projects. Owns nothing; any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/auth/permissions.h"

namespace davit::auth {

// The project of a token that belongs to all projects.
inline constexpr char kAllProjects[] = "*";

// The project that always exists.
inline constexpr char kDefaultProject[] = "default";

// Who makes a call. Handlers get it from CallGuard::Admit only.
struct Caller {
  // `tok_…`.
  std::string token_id;

  // The token's name for people where it is known, else its id.
  std::string name;

  // The token's project, or "*" for all.
  std::string project;

  Role role = Role::kViewer;

  // The request's id: to be passed on with rpc::SetRequestId and written to logs.
  std::string request_id;

  bool of_all_projects() const { return project == kAllProjects; }
};

// OK for the form of a project's name: 1 to 63 of a-z, 0-9 and "-", beginning with a letter or a digit.
// INVALID_ARGUMENT `project: …` otherwise.
absl::Status CheckProjectName(absl::string_view project);

// The project that a request is about: `requested` or, when it is empty, the caller's own ("default" for a caller of
// all projects). PERMISSION_DENIED when the caller belongs to another project; INVALID_ARGUMENT `project: …` for a bad
// name.
absl::StatusOr<std::string> ResolveProject(const Caller& caller, absl::string_view requested);

}  // namespace davit::auth
