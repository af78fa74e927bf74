// What makes a build recipe and an image destination acceptable, checked alike wherever a client hands one in.
// Owns nothing; stateless, usable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/common/v1/recipe.pb.h"

namespace davit::recipe {

// Checks every field of `recipe` and fills in its defaults (Dockerfile, ".", 1 hour); paths are made canonical:
// "./a//b" becomes "a/b". INVALID_ARGUMENT with the field's path in front, which begins with `field`
// ("recipe.dockerfile_path: path leaves the repository").
absl::Status Normalize(absl::string_view field, common::v1::Recipe& recipe);

// Whether `name` can be the name of a secret, and what a Dockerfile calls one: 1 to 64 characters [A-Za-z0-9_.-], the
// first a letter, a digit or '_'.
bool IsSecretName(absl::string_view name);

// What is said of a name that cannot be one.
inline constexpr char kSecretNameAccepted[] =
    "1 to 64 letters, digits, '_', '.' and '-' are accepted, the first a letter, a digit or '_'";

// Checks that the destination names a repository of a registry without tag or digest and, if any, a registry
// credential's id, and writes the repository's name in full ("busybox" becomes "docker.io/library/busybox").
// INVALID_ARGUMENT as above
// ("destination.repository: invalid image reference: …").
absl::Status NormalizeDestination(absl::string_view field, common::v1::ImageDestination& destination);

// The canonical form of a path below a repository's root: no ".", "..", empty component or trailing slash; the root
// itself is ".". INVALID_ARGUMENT "path leaves the repository" for absolute paths and those whose ".." go above the
// root; also for control characters and more than 1024 bytes.
absl::StatusOr<std::string> CanonicalPath(absl::string_view path);

}  // namespace davit::recipe
