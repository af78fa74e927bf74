// What the token-registry asks of the servers that its secrets belong to. Implementations are thread-safe and block on
// the network.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/crypto/secret.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// What a provider tells about a token that it accepted.
struct TokenFacts {
  std::string account;
  std::vector<std::string> scopes;
  absl::Time expire_time = absl::InfiniteFuture();  // InfiniteFuture: never, or it does not tell.
};

// A ref of a remote repository.
struct RemoteRef {
  std::string name;    // Full name.
  std::string commit;  // 40 lower-case hexadecimal digits.
};

// The branches and tags of a remote repository, by name.
struct RemoteRefs {
  std::vector<RemoteRef> refs;
  std::string default_branch;  // Full name; empty when the server does not tell.
};

// Errors of every call; none holds a secret: FAILED_PRECONDITION `credential rejected by HOST (401)` or how else the
// server refused it; INVALID_ARGUMENT `address not allowed: …`; UNAVAILABLE and DEADLINE_EXCEEDED when it cannot be
// asked now.
class ProviderClient {
 public:
  virtual ~ProviderClient() = default;

  // Tries a connection's token.
  virtual absl::StatusOr<TokenFacts> VerifyToken(const Connection& connection, const crypto::SecretString& token) = 0;

  // Lists the branches and tags behind a clone URL. NOT_FOUND: `repository not found: …`.
  virtual absl::StatusOr<RemoteRefs> ListRefs(const Connection& connection, const std::string& clone_url,
                                              const crypto::SecretString& token) = 0;

  // Tries a registry's credential; an empty user name means without.
  virtual absl::Status VerifyRegistryCredential(const RegistryCredential& credential,
                                                const crypto::SecretString& password) = 0;
};

}  // namespace davit::token_registry
