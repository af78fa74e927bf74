// The rules for what callers may store. Pure functions; any thread. Errors are INVALID_ARGUMENT and begin with the
// field.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/secret.h"
#include "libs/http/address_policy.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// `display_name: …` unless it has 1 to 100 characters and no control characters.
absl::Status CheckDisplayName(absl::string_view display_name);

// `username: …` unless it can be sent with basic authentication (no colon, no control characters, at most 255 bytes).
absl::Status CheckUsername(absl::string_view username);

// `FIELD: …` unless the secret has 1 to `max_bytes` bytes, all printable ASCII without spaces (it goes into HTTP
// headers).
absl::Status CheckToken(absl::string_view field, const crypto::SecretString& token, size_t max_bytes);

// `password: …` unless it has 1 to 16384 bytes without control characters.
absl::Status CheckPassword(const crypto::SecretString& password);

// `FIELD: …` unless it is a path of one or more names below a server, without `.git`, as in `owner/name`.
absl::Status CheckRepositoryPath(absl::string_view field, absl::string_view repository);

// A connection's base URL in its stored form (the provider's default for an empty one, without a trailing slash).
// `base_url: scheme not allowed: …`, `base_url: address not allowed: …`, `base_url: …`.
absl::StatusOr<std::string> NormalizeBaseUrl(Provider provider, absl::string_view base_url,
                                             const http::AddressPolicy& policy);

// The user name that is sent with the token when none was given.
std::string DefaultUsername(Provider provider);

// Where a repository of a connection is cloned from.
std::string CloneUrl(const Connection& connection, absl::string_view repository);

// OK when `image_repository` is a registry and a repository without tag and digest, on `registry` (unless that is
// empty); else `scope.image_repository: …` and the like, after `field`.
absl::Status CheckImageRepository(absl::string_view field, absl::string_view image_repository,
                                  absl::string_view registry);

}  // namespace davit::token_registry
