// Implements http_oauth_server.h.
#include "services/token_registry/http_oauth_server.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/provider_http.h"
#include "services/token_registry/provider_json.h"

namespace davit::token_registry {
namespace {

using nlohmann::json;

constexpr absl::Duration kTimeout = absl::Seconds(15);
constexpr int64_t kMaxAnswer = 64 << 10;
constexpr size_t kMaxDescription = 200;
constexpr size_t kMaxErrorCode = 64;
constexpr absl::Duration kDefaultInterval = absl::Seconds(5);  // RFC 8628 section 3.2.
constexpr absl::Duration kDefaultDeviceLifetime = absl::Minutes(15);
constexpr char kDeviceGrant[] = "urn:ietf:params:oauth:grant-type:device_code";

struct Endpoints {
  std::string authorize;
  std::string token;
  std::string device;
  std::string scope;
};

Endpoints EndpointsOf(const OAuthApp& app) {
  if (app.provider == Provider::kGitHub) {
    // `repo` includes commit statuses and the hooks of repositories; `read:org` lists organizations.
    return {absl::StrCat(app.base_url, "/login/oauth/authorize"),
            absl::StrCat(app.base_url, "/login/oauth/access_token"), absl::StrCat(app.base_url, "/login/device/code"),
            "repo read:org"};
  }
  return {absl::StrCat(app.base_url, "/oauth/authorize"), absl::StrCat(app.base_url, "/oauth/token"),
          absl::StrCat(app.base_url, "/oauth/authorize_device"), "api"};
}

std::string ToQuery(const std::vector<std::pair<std::string, std::string>>& form) {
  std::string query;
  for (const auto& [name, value] : form) {
    absl::StrAppend(&query, query.empty() ? "" : "&", name, "=", http::PercentEncode(value));
  }
  return query;
}

absl::Duration SecondsOf(const json& body, const char* key, absl::Duration otherwise) {
  const json value = Member(body, key);
  return value.is_number_integer() && value.get<int64_t>() > 0 ? absl::Seconds(value.get<int64_t>()) : otherwise;
}

// An error code holds these characters only; whatever else a server sends is not repeated.
std::string ErrorCodeOf(const json& body) {
  const std::string code = Text(body, "error");
  if (code.size() > kMaxErrorCode) return "";
  for (const char c : code) {
    if (!absl::ascii_isalnum(c) && c != '_') return "";
  }
  return code;
}

// GitHub answers errors with status 200, too.
absl::Status CheckAnswer(const http::Response& response, const json& body) {
  const std::string host = HostOf(response.url);
  if (response.status == 429 || response.status >= 500) {
    return absl::UnavailableError(absl::StrCat(host, " answered ", response.status, "; try again later"));
  }
  const std::string code = ErrorCodeOf(body);
  if (!code.empty()) {
    const std::string description = OneLine(Text(body, "error_description"), kMaxDescription);
    const std::string message = absl::StrCat(host, " refused: ", code, description.empty() ? "" : ": ", description);
    // The second is GitHub's own word for it.
    const bool grant_ended = code == "invalid_grant" || code == "bad_refresh_token";
    return grant_ended ? absl::UnauthenticatedError(message) : absl::FailedPreconditionError(message);
  }
  if (response.status < 200 || response.status > 299 || !body.is_object()) {
    return absl::FailedPreconditionError(absl::StrCat(host, " does not answer as an OAuth authorization server (",
                                                      response.status, "); check base_url"));
  }
  return absl::OkStatus();
}

absl::StatusOr<OAuthTokens> ReadTokens(const http::Response& response) {
  const json body = ParseJson(response.body);
  DAVIT_RETURN_IF_ERROR(CheckAnswer(response, body));
  OAuthTokens tokens;
  tokens.access_token = crypto::SecretString(Text(body, "access_token"));
  if (tokens.access_token.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(HostOf(response.url), " answered without an access token; check base_url"));
  }
  tokens.refresh_token = crypto::SecretString(Text(body, "refresh_token"));
  tokens.lifetime = SecondsOf(body, "expires_in", absl::InfiniteDuration());
  return tokens;
}

// What is refused when it is no refresh: the caller of the token-registry is authenticated all the same.
template <typename Result>
absl::StatusOr<Result> AsPrecondition(absl::StatusOr<Result> result) {
  if (absl::IsUnauthenticated(result.status())) return absl::FailedPreconditionError(result.status().message());
  return result;
}

}  // namespace

absl::StatusOr<http::Response> HttpOAuthServer::Post(const std::string& url, const Form& form) {
  http::Request request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Accept", "application/json"}, {"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = ToQuery(form);
  request.timeout = kTimeout;
  request.max_response_bytes = kMaxAnswer;
  absl::StatusOr<http::Response> response = client_.Send(request);
  crypto::Wipe(request.body);
  return response;
}

absl::StatusOr<http::Response> HttpOAuthServer::AskForTokens(const OAuthApp& app, Form form) {
  form.emplace_back("client_id", app.client_id);
  if (!app.client_secret.empty()) form.emplace_back("client_secret", app.client_secret.Reveal());
  absl::StatusOr<http::Response> response = Post(EndpointsOf(app).token, form);
  for (auto& field : form) crypto::Wipe(field.second);
  return response;
}

std::string HttpOAuthServer::AuthorizeUrl(const OAuthApp& app, const std::string& redirect_uri,
                                          const std::string& state, const std::string& code_challenge) {
  const Endpoints endpoints = EndpointsOf(app);
  return absl::StrCat(endpoints.authorize, "?",
                      ToQuery({{"response_type", "code"},
                               {"client_id", app.client_id},
                               {"redirect_uri", redirect_uri},
                               {"scope", endpoints.scope},
                               {"state", state},
                               {"code_challenge", code_challenge},
                               {"code_challenge_method", "S256"}}));
}

absl::StatusOr<OAuthTokens> HttpOAuthServer::ExchangeCode(const OAuthApp& app, const std::string& redirect_uri,
                                                          const crypto::SecretString& code,
                                                          const crypto::SecretString& verifier) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, AskForTokens(app, {{"grant_type", "authorization_code"},
                                                                           {"code", code.Reveal()},
                                                                           {"redirect_uri", redirect_uri},
                                                                           {"code_verifier", verifier.Reveal()}}));
  return AsPrecondition(ReadTokens(response));
}

absl::StatusOr<DeviceCode> HttpOAuthServer::BeginDevice(const OAuthApp& app) {
  const Endpoints endpoints = EndpointsOf(app);
  // RFC 8628 section 3.1: whoever has a secret shows it here, too.
  Form form = {{"client_id", app.client_id}, {"scope", endpoints.scope}};
  if (!app.client_secret.empty()) form.emplace_back("client_secret", app.client_secret.Reveal());
  absl::StatusOr<http::Response> answer = Post(endpoints.device, form);
  for (auto& field : form) crypto::Wipe(field.second);
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, std::move(answer));
  const json body = ParseJson(response.body);
  const absl::Status checked = CheckAnswer(response, body);
  if (absl::IsUnauthenticated(checked)) return absl::FailedPreconditionError(checked.message());
  if (!checked.ok()) return checked;
  DeviceCode code;
  code.device_code = crypto::SecretString(Text(body, "device_code"));
  code.user_code = Text(body, "user_code");
  code.verification_url = Text(body, "verification_uri");
  code.lifetime = std::min(SecondsOf(body, "expires_in", kDefaultDeviceLifetime), absl::Hours(1));
  code.interval = std::min(SecondsOf(body, "interval", kDefaultInterval), absl::Minutes(1));
  if (code.device_code.empty() || code.user_code.empty() || !http::Url::Parse(code.verification_url).ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(HostOf(response.url), " answered without a device code; check base_url"));
  }
  return code;
}

absl::StatusOr<DeviceAnswer> HttpOAuthServer::PollDevice(const OAuthApp& app, const crypto::SecretString& device_code) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         AskForTokens(app, {{"grant_type", kDeviceGrant}, {"device_code", device_code.Reveal()}}));
  const std::string code = ErrorCodeOf(ParseJson(response.body));
  DeviceAnswer answer;
  answer.slow_down = code == "slow_down";
  if (code == "authorization_pending" || answer.slow_down) return answer;
  DAVIT_ASSIGN_OR_RETURN(answer.tokens, AsPrecondition(ReadTokens(response)));
  return answer;
}

absl::StatusOr<OAuthTokens> HttpOAuthServer::Refresh(const OAuthApp& app, const crypto::SecretString& refresh_token) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, AskForTokens(app, {{"grant_type", "refresh_token"},
                                                                           {"refresh_token", refresh_token.Reveal()}}));
  return ReadTokens(response);
}

}  // namespace davit::token_registry
