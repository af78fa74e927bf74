// Reads the credentials of a Docker configuration file (config.json). Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/crypto/secret.h"

namespace davit::cli {

// A registry's credential in a Docker configuration, or why there is none.
struct DockerCredential {
  std::string registry;  // Host and optional port; `docker.io` for Docker Hub.
  std::string username;
  crypto::SecretString password;
  std::string problem;  // Empty when user and password are there.
};

// The `auths` of a config.json, by registry. Entries of credential helpers, which keep secrets elsewhere, and identity
// tokens have a `problem`. INVALID_ARGUMENT when the text is not such a file; no message repeats its content.
absl::StatusOr<std::vector<DockerCredential>> ReadDockerConfig(const crypto::SecretString& text);

}  // namespace davit::cli
