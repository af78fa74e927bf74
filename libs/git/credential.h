// What is shown to a git server: a user name and a secret, sent as HTTP basic authentication to the repository's own
// host only. Value types; usable from any thread.
#pragma once

#include <string>
#include <utility>

#include "libs/crypto/secret.h"

namespace davit::git {

// An empty username and secret means an anonymous request.
struct Credential {
  std::string username;
  crypto::SecretString secret;

  // No credential: for public repositories.
  static Credential Anonymous() { return {}; }
  // A GitHub token of any kind (personal, OAuth, installation).
  static Credential GitHub(crypto::SecretString token) { return {"x-access-token", std::move(token)}; }
  // A GitLab token of any kind (personal, project, group, OAuth).
  static Credential GitLab(crypto::SecretString token) { return {"oauth2", std::move(token)}; }
};

}  // namespace davit::git
