// How a bearer token becomes an identity. The token-registry implements this over its store; everybody else asks the
// token-registry (introspecting_authenticator.h).
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/auth/caller.h"

namespace davit::auth {

// Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // Whose token this is; Caller::request_id is left empty. UNAUTHENTICATED (`token is not valid or was revoked`) for
  // one that may not be used; UNAVAILABLE when that cannot be found out now. May block. No error ever holds the token.
  virtual absl::StatusOr<Caller> Authenticate(absl::string_view token) = 0;
};

// What Authenticate returns for a token that is unknown, expired or revoked: all the same, so that nothing is learnt
// from it.
absl::Status InvalidTokenError();

}  // namespace davit::auth
