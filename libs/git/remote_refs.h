// What a git server says it has: branches, tags and the default branch. Functions block on the network; usable from any
// thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/git/credential.h"
#include "libs/git/fetch_control.h"
#include "libs/git/object_id.h"
#include "libs/git/url.h"

namespace davit::http {
class Client;
}  // namespace davit::http

namespace davit::git {

// A ref of a remote repository.
struct RemoteRef {
  // Full name: refs/heads/main, refs/tags/v1.
  std::string name;
  // The commit it leads to; an annotated tag is peeled.
  ObjectId commit;
  // The annotated tag itself; zero for a branch or a lightweight tag.
  ObjectId tag;
};

// The refs of a remote repository.
struct RemoteRefs {
  // Branches and tags, sorted by name.
  std::vector<RemoteRef> refs;
  // The full name of the branch that HEAD stands for; empty when the repository is empty or the server does not say.
  std::string default_branch;
};

// Asks a server for its branches and tags. Errors: UNAUTHENTICATED `credential rejected by HOST (401)`,
// PERMISSION_DENIED for `… (403)`, NOT_FOUND `repository not found: URL`, INVALID_ARGUMENT `address not allowed`,
// UNAVAILABLE when it cannot be reached, and those of FetchControl.
absl::StatusOr<RemoteRefs> ListRemoteRefs(http::Client& client, const RepositoryUrl& url, const Credential& credential,
                                          const FetchControl& control);

}  // namespace davit::git
