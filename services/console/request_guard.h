// What every request of the API must show: that it comes from this console's own page, and for whom. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/secret.h"
#include "libs/http/server.h"
#include "services/console/session_store.h"

namespace davit::console {

// The cookie that carries a session's id.
inline constexpr char kSessionCookie[] = "davit_session";

class RequestGuard {
 public:
  // `public_url` is the console's address for browsers, "http://127.0.0.1:7086" or "https://davit.example"; of a
  // loopback address every name (127.0.0.1, localhost, [::1]) counts. INVALID_ARGUMENT: it is not an http or https
  // address without a path. `sessions` must outlive this.
  static absl::StatusOr<std::unique_ptr<RequestGuard>> Create(const std::string& public_url, SessionStore& sessions);

  // OK for an address that Create takes.
  static absl::Status Check(const std::string& public_url);

  // OK for a request that was meant for this console and does not come from another site's page. PERMISSION_DENIED
  // otherwise: a foreign Host (DNS rebinding), a foreign Origin or Sec-Fetch-Site. A request that changes something
  // must say where it comes from.
  absl::Status CheckOrigin(const http::ServerRequest& request) const;

  // The session of a request. UNAUTHENTICATED `sign in first`.
  absl::StatusOr<std::shared_ptr<Session>> CurrentSession(const http::ServerRequest& request,
                                                          SessionStore::Use use) const;

  // The same, for a request that changes something: PERMISSION_DENIED `CSRF token missing or wrong` unless it carries
  // the session's token.
  absl::StatusOr<std::shared_ptr<Session>> SessionForChange(const http::ServerRequest& request) const;

  // The session id that a request carries, or "".
  static std::string SessionId(const http::ServerRequest& request);

  // Set-Cookie for a new session, and for none any more.
  std::string Cookie(const crypto::SecretString& id, absl::Duration lifetime) const;
  std::string ExpiredCookie() const;

  bool https() const { return https_; }
  const std::string& origin() const { return origins_.front(); }

 private:
  RequestGuard(std::vector<std::string> origins, bool https, SessionStore& sessions)
      : origins_(std::move(origins)), https_(https), sessions_(sessions) {}

  const std::vector<std::string> origins_;  // The console's own first.
  const bool https_;
  SessionStore& sessions_;
};

}  // namespace davit::console
