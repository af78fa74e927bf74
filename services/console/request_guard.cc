// Implements request_guard.h.
#include "services/console/request_guard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/crypto/hash.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"

namespace davit::console {
namespace {

bool IsSafe(const http::ServerRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

bool Contains(const std::vector<std::string>& origins, absl::string_view origin) {
  return std::find(origins.begin(), origins.end(), origin) != origins.end();
}

}  // namespace

absl::Status RequestGuard::Check(const std::string& public_url) {
  const absl::StatusOr<http::Url> url = http::Url::Parse(public_url);
  if (!url.ok() || url->path != "/" || !url->query.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("public_url: expected http://HOST[:PORT] or https://HOST[:PORT], got ", public_url));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RequestGuard>> RequestGuard::Create(const std::string& public_url,
                                                                   SessionStore& sessions) {
  DAVIT_RETURN_IF_ERROR(Check(public_url));
  const absl::StatusOr<http::Url> url = http::Url::Parse(public_url);
  std::vector<std::string> origins = {url->Origin()};
  if (url->host == "127.0.0.1" || url->host == "localhost" || url->host == "::1") {
    for (const char* host : {"127.0.0.1", "localhost", "::1"}) {
      http::Url other = *url;
      other.host = host;
      if (!Contains(origins, other.Origin())) origins.push_back(other.Origin());
    }
  }
  return std::unique_ptr<RequestGuard>(new RequestGuard(std::move(origins), url->scheme == "https", sessions));
}

absl::Status RequestGuard::CheckOrigin(const http::ServerRequest& request) const {
  const std::string host = absl::AsciiStrToLower(request.headers.Get("Host").value_or(""));
  if (!Contains(origins_, absl::StrCat(https_ ? "https://" : "http://", host))) {
    return absl::PermissionDeniedError(
        absl::StrCat("this console is reached as ", origin(), ", not under the name of this request"));
  }
  const std::optional<std::string> origin = request.headers.Get("Origin");
  const std::optional<std::string> site = request.headers.Get("Sec-Fetch-Site");
  const absl::Status foreign = absl::PermissionDeniedError("the request comes from a foreign origin");
  if (origin.has_value() && !Contains(origins_, *origin)) return foreign;
  // "none" is an address that somebody typed: harmless for reading.
  if (site.has_value() && *site != "same-origin" && !(IsSafe(request) && *site == "none")) return foreign;
  if (!IsSafe(request) && !origin.has_value() && !site.has_value()) {
    return absl::PermissionDeniedError("the request does not say its origin");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Session>> RequestGuard::CurrentSession(const http::ServerRequest& request,
                                                                      SessionStore::Use use) const {
  const std::string id = SessionId(request);
  std::shared_ptr<Session> session = id.empty() ? nullptr : sessions_.Find(id, use);
  if (session == nullptr) return absl::UnauthenticatedError("sign in first");
  return session;
}

absl::StatusOr<std::shared_ptr<Session>> RequestGuard::SessionForChange(const http::ServerRequest& request) const {
  DAVIT_ASSIGN_OR_RETURN(std::shared_ptr<Session> session, CurrentSession(request, SessionStore::Use::kTouches));
  if (!crypto::ConstantTimeEquals(request.headers.Get("X-CSRF-Token").value_or(""), session->csrf_token())) {
    return absl::PermissionDeniedError("CSRF token missing or wrong");
  }
  return session;
}

std::string RequestGuard::SessionId(const http::ServerRequest& request) {
  for (const auto& [name, value] : request.headers.fields()) {
    if (!absl::EqualsIgnoreCase(name, "Cookie")) continue;
    for (const absl::string_view part : absl::StrSplit(value, ';')) {
      const std::pair<absl::string_view, absl::string_view> cookie = absl::StrSplit(part, absl::MaxSplits('=', 1));
      if (absl::StripAsciiWhitespace(cookie.first) == kSessionCookie) {
        return std::string(absl::StripAsciiWhitespace(cookie.second));
      }
    }
  }
  return "";
}

std::string RequestGuard::Cookie(const crypto::SecretString& id, absl::Duration lifetime) const {
  return absl::StrCat(kSessionCookie, "=", id.Reveal(),
                      "; Path=/; HttpOnly; SameSite=Strict; Max-Age=", absl::ToInt64Seconds(lifetime),
                      https_ ? "; Secure" : "");
}

std::string RequestGuard::ExpiredCookie() const { return Cookie(crypto::SecretString(), absl::ZeroDuration()); }

}  // namespace davit::console
