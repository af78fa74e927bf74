// API tokens: made, found by their text, revoked. Thread-safe; calls block on the store.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

// Whether `text` looks like an API token: `dvt_` and 32 to 128 characters of base64url.
bool HasTokenForm(absl::string_view text);

class ApiTokenDirectory {
 public:
  // All parameters must outlive the directory.
  ApiTokenDirectory(Store& store, Clock& clock, RandomSource& random) : store_(store), clock_(clock), random_(random) {}

  // Makes a token as `draft` says (project, display_name, role, expire_time) and returns it with its text, which is
  // kept nowhere. INVALID_ARGUMENT `FIELD: …`; PERMISSION_DENIED when `caller` may not make such a token.
  absl::StatusOr<std::pair<ApiToken, crypto::SecretString>> Create(const auth::Caller& caller, ApiToken draft);

  // The active token with that text, and notes its use. NOT_FOUND for one that is unknown, expired or revoked.
  absl::StatusOr<ApiToken> Find(absl::string_view text);

  // Revokes a token; revoking it again changes nothing.
  absl::StatusOr<ApiToken> Revoke(const std::string& project, const std::string& id);

 private:
  Store& store_;
  Clock& clock_;
  RandomSource& random_;
};

// The project that a request of an admin of tokens is about: as auth::ResolveProject, and "*" for a caller of all
// projects.
absl::StatusOr<std::string> ResolveTokenProject(const auth::Caller& caller, absl::string_view requested);

}  // namespace davit::token_registry
