// Implements oauth_directory.h.
#include "services/token_registry/oauth_directory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/hash.h"
#include "libs/crypto/token.h"
#include "libs/http/url.h"
#include "libs/ids/ids.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

constexpr absl::Duration kBrowserLifetime = absl::Minutes(10);
constexpr absl::Duration kSlowDown = absl::Seconds(5);  // RFC 8628 section 3.5.
constexpr size_t kMaxCodeBytes = 2048;

SecretPlace VerifierPlace(const OAuthAuthorization& authorization) {
  return {authorization.project, authorization.id, "verifier"};
}

// RFC 7636 section 4.2.
std::string CodeChallenge(const crypto::SecretString& verifier) {
  return absl::WebSafeBase64Escape(crypto::Sha256(verifier.Reveal()));
}

// A program on the person's own machine, or what the operator wrote down.
absl::Status CheckRedirectUri(const std::string& redirect_uri, const OAuthApp& app) {
  if (!app.redirect_uri.empty() && redirect_uri == app.redirect_uri) return absl::OkStatus();
  const absl::StatusOr<http::Url> url = http::Url::Parse(redirect_uri);
  if (url.ok() && url->scheme == "http" && (url->host == "127.0.0.1" || url->host == "::1") &&
      !absl::StrContains(redirect_uri, '#')) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "redirect_uri: must be http://127.0.0.1:PORT/PATH, http://[::1]:PORT/PATH, or the one that the server is "
      "configured with");
}

absl::Status Unknown() {
  return absl::NotFoundError("state: no such authorization; it expired or was used, begin again");
}

}  // namespace

absl::Time OAuthDirectory::Now() const {
  // As precise as the database, so that a time read back is the time written.
  return absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
}

absl::StatusOr<const OAuthApp*> OAuthDirectory::AppOf(Provider provider, const std::string& base_url) const {
  const OAuthApp* const app = apps_.Find(provider, base_url);
  if (app != nullptr) return app;
  return absl::FailedPreconditionError(
      absl::StrCat("no OAuth application is configured for ", base_url,
                   " (the token-registry's --oauth_apps_file); use CreateConnection with an access token"));
}

absl::Status OAuthDirectory::Complete(OAuthWish& wish) {
  if (!wish.connection_id.empty()) {
    DAVIT_ASSIGN_OR_RETURN(const Connection connection, store_.GetConnection(wish.project, wish.connection_id));
    wish.provider = connection.provider;
    wish.base_url = connection.base_url;
    wish.display_name = connection.display_name;
  } else {
    DAVIT_RETURN_IF_ERROR(CheckDisplayName(wish.display_name));
    DAVIT_ASSIGN_OR_RETURN(wish.base_url, NormalizeBaseUrl(wish.provider, wish.base_url, policy_));
  }
  if (wish.provider == Provider::kGenericGit) {
    return absl::InvalidArgumentError("connection.provider: only GitHub and GitLab authorize with OAuth");
  }
  return absl::OkStatus();
}

absl::StatusOr<OAuthBeginning> OAuthDirectory::Begin(const auth::Caller& caller, OAuthWish wish) {
  DAVIT_RETURN_IF_ERROR(Complete(wish));
  DAVIT_ASSIGN_OR_RETURN(const OAuthApp* const app, AppOf(wish.provider, wish.base_url));
  const crypto::SecretString state = crypto::RandomToken(random_, "ost_");
  OAuthAuthorization authorization;
  authorization.id = NewId("oas", clock_, random_);
  authorization.project = wish.project;
  authorization.state_hash = crypto::Sha256(state.Reveal());
  authorization.token_id = caller.token_id;
  authorization.flow = wish.flow;
  authorization.connection_id = wish.connection_id;
  authorization.display_name = wish.display_name;
  authorization.provider = wish.provider;
  authorization.base_url = wish.base_url;
  authorization.next_poll_time = Now();
  OAuthBeginning beginning;
  beginning.state = state.Reveal();
  crypto::SecretString verifier;
  if (wish.flow == OAuthAuthorization::Flow::kBrowser) {
    DAVIT_RETURN_IF_ERROR(CheckRedirectUri(wish.redirect_uri, *app));
    verifier = crypto::RandomToken(random_, "");
    authorization.redirect_uri = wish.redirect_uri;
    authorization.expire_time = Now() + kBrowserLifetime;
    beginning.authorize_url = server_.AuthorizeUrl(*app, wish.redirect_uri, beginning.state, CodeChallenge(verifier));
  } else {
    absl::StatusOr<DeviceCode> device = server_.BeginDevice(*app);
    if (absl::IsInvalidArgument(device.status())) return Annotate(device.status(), "connection.base_url");
    if (!device.ok()) return device.status();
    verifier = std::move(device->device_code);
    authorization.expire_time = Now() + device->lifetime;
    authorization.poll_interval = beginning.poll_interval = device->interval;
    authorization.next_poll_time += device->interval;
    beginning.authorize_url = device->verification_url;
    beginning.user_code = device->user_code;
  }
  beginning.expire_time = authorization.expire_time;
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed, vault_.Seal(VerifierPlace(authorization), verifier));
  DAVIT_RETURN_IF_ERROR(store_.InsertAuthorization(authorization, sealed));
  return beginning;
}

absl::StatusOr<std::optional<OAuthTokens>> OAuthDirectory::Poll(const OAuthApp& app,
                                                                const OAuthAuthorization& authorization,
                                                                const crypto::SecretString& device_code,
                                                                absl::Duration* retry_after) {
  absl::StatusOr<DeviceAnswer> answer = server_.PollDevice(app, device_code);
  if (!answer.ok()) return answer.status();
  if (answer->tokens) return std::move(answer->tokens);
  *retry_after = authorization.poll_interval + (answer->slow_down ? kSlowDown : absl::ZeroDuration());
  DAVIT_RETURN_IF_ERROR(store_.SetAuthorizationPoll(authorization, *retry_after, Now() + *retry_after));
  return std::optional<OAuthTokens>();
}

absl::StatusOr<std::optional<OAuthTokens>> OAuthDirectory::TokensOf(const auth::Caller& caller,
                                                                    const OAuthAuthorization& authorization,
                                                                    const crypto::SealedSecret& sealed,
                                                                    const crypto::SecretString& code,
                                                                    absl::Duration* retry_after) {
  DAVIT_ASSIGN_OR_RETURN(const OAuthApp* const app, AppOf(authorization.provider, authorization.base_url));
  DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString verifier,
                         vault_.Open(VerifierPlace(authorization), sealed, caller, "authorize"));
  if (authorization.flow == OAuthAuthorization::Flow::kDevice) {
    return Poll(*app, authorization, verifier, retry_after);
  }
  // A code and its verifier are tried once.
  DAVIT_RETURN_IF_ERROR(store_.DeleteAuthorization(authorization.project, authorization.id));
  absl::StatusOr<OAuthTokens> tokens = server_.ExchangeCode(*app, authorization.redirect_uri, code, verifier);
  if (!tokens.ok()) return tokens.status();
  return std::optional<OAuthTokens>(*std::move(tokens));
}

absl::StatusOr<OAuthEnd> OAuthDirectory::Finish(const auth::Caller& caller, const std::string& project,
                                                const std::string& state, const crypto::SecretString& code) {
  const auto found = store_.FindAuthorization(project, crypto::Sha256(state));
  if (absl::IsNotFound(found.status())) return Unknown();
  if (!found.ok()) return found.status();
  const OAuthAuthorization& authorization = found->first;
  const absl::Time now = Now();
  if (authorization.token_id != caller.token_id || authorization.expire_time <= now) return Unknown();
  const bool device = authorization.flow == OAuthAuthorization::Flow::kDevice;
  if (device != code.empty()) {
    return absl::InvalidArgumentError(device ? "code: must be empty for a device authorization"
                                             : "code: required: the parameter that came back to redirect_uri");
  }
  if (!device) DAVIT_RETURN_IF_ERROR(CheckToken("code", code, kMaxCodeBytes));
  OAuthEnd end;
  if (device && now < authorization.next_poll_time) {
    end.retry_after = authorization.next_poll_time - now;
    return end;
  }
  absl::StatusOr<std::optional<OAuthTokens>> tokens =
      TokensOf(caller, authorization, found->second, code, &end.retry_after);
  if (tokens.ok() && !*tokens) return end;
  if (device && (tokens.ok() || absl::IsFailedPrecondition(tokens.status()))) {
    const absl::Status forgotten = store_.DeleteAuthorization(authorization.project, authorization.id);
    if (!forgotten.ok() && !absl::IsNotFound(forgotten)) return forgotten;
  }
  if (!tokens.ok()) return tokens.status();
  DAVIT_ASSIGN_OR_RETURN(end.connection, connections_.Authorize(authorization, **tokens));
  return end;
}

}  // namespace davit::token_registry
