// What is asked of a provider as an OAuth authorization server. Implementations are thread-safe and block on the
// network.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/crypto/secret.h"
#include "services/token_registry/oauth_apps.h"

namespace davit::token_registry {

// The tokens that an authorization or a refresh ends with.
struct OAuthTokens {
  crypto::SecretString access_token;
  crypto::SecretString refresh_token;  // Empty: none, or the present one stays.
  absl::Duration lifetime = absl::InfiniteDuration();
};

// What begins a device authorization (RFC 8628 section 3.2).
struct DeviceCode {
  crypto::SecretString device_code;
  std::string user_code;
  std::string verification_url;
  absl::Duration lifetime;
  absl::Duration interval;
};

// What asking for the tokens of a device authorization comes to.
struct DeviceAnswer {
  std::optional<OAuthTokens> tokens;  // Unset: the person has not authorized yet.
  bool slow_down = false;             // Ask less often.
};

// Errors of every call; none holds a secret: FAILED_PRECONDITION `HOST refused: CODE: …` with an error code of RFC 6749
// or 8628, or when the answer is none of an authorization server; UNAVAILABLE and DEADLINE_EXCEEDED when it cannot be
// asked now; INVALID_ARGUMENT `address not allowed: …`.
class OAuthServer {
 public:
  virtual ~OAuthServer() = default;

  // Where a person authorizes (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
  virtual std::string AuthorizeUrl(const OAuthApp& app, const std::string& redirect_uri, const std::string& state,
                                   const std::string& code_challenge) = 0;

  // Exchanges the code that came back.
  virtual absl::StatusOr<OAuthTokens> ExchangeCode(const OAuthApp& app, const std::string& redirect_uri,
                                                   const crypto::SecretString& code,
                                                   const crypto::SecretString& verifier) = 0;

  // Begins a device authorization.
  virtual absl::StatusOr<DeviceCode> BeginDevice(const OAuthApp& app) = 0;

  // Asks whether the person has authorized.
  virtual absl::StatusOr<DeviceAnswer> PollDevice(const OAuthApp& app, const crypto::SecretString& device_code) = 0;

  // New tokens for a refresh token. UNAUTHENTICATED: the grant has ended (`invalid_grant`).
  virtual absl::StatusOr<OAuthTokens> Refresh(const OAuthApp& app, const crypto::SecretString& refresh_token) = 0;
};

}  // namespace davit::token_registry
