// An OAuth authorization server over HTTP for tests, with GitHub's or GitLab's paths and manners: PKCE, one-time codes,
// device codes, refresh tokens that are replaced. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/crypto/hash.h"
#include "libs/http/query.h"
#include "libs/http/server.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// One client `client-1` with the secret `planted-client-secret-4Tz`. Tokens are numbered from 1 in the order in which
// they are given.
class FakeAuthorizationServer {
 public:
  static constexpr char kClientSecret[] = "planted-client-secret-4Tz";

  explicit FakeAuthorizationServer(Provider provider) : provider_(provider) {
    auto server = http::Server::Start({}, [this](const http::ServerRequest& request) { return Answer(request); });
    if (server.ok()) server_ = *std::move(server);
  }

  std::string authority() const { return absl::StrCat("127.0.0.1:", server_->port()); }
  std::string base_url() const { return absl::StrCat("http://", authority()); }

  // What the browser does: the person approves what the address asks for; the code that comes back, or "" when the
  // address is wrong.
  std::string Approve(const std::string& authorize_url) {
    absl::MutexLock lock(&mutex_);
    const size_t mark = authorize_url.find('?');
    const std::string path = provider_ == Provider::kGitHub ? "/login/oauth/authorize" : "/oauth/authorize";
    if (mark == std::string::npos || authorize_url.substr(0, mark) != base_url() + path) return "";
    const http::Query query(authorize_url.substr(mark + 1));
    if (query.Get("client_id") != "client-1" || query.Get("response_type") != "code" || query.Get("state").empty() ||
        query.Get("code_challenge_method") != "S256" || query.Get("scope") != scope()) {
      return "";
    }
    const std::string code = absl::StrCat("code-", ++codes_given_);
    codes_[code] = {query.Get("code_challenge"), query.Get("redirect_uri")};
    return code;
  }

  // What the token endpoint answers while the device's person has not decided: an error code; "" = approved.
  void SetDeviceAnswer(const std::string& error) {
    absl::MutexLock lock(&mutex_);
    device_error_ = error;
  }

  // Answers every request with this status and body from now on; 0 ends that.
  void Fail(int status, const std::string& body) {
    absl::MutexLock lock(&mutex_);
    fail_status_ = status;
    fail_body_ = body;
  }

  int polls() {
    absl::MutexLock lock(&mutex_);
    return polls_;
  }

 private:
  struct Code {
    std::string challenge;
    std::string redirect_uri;
  };

  std::string scope() const { return provider_ == Provider::kGitHub ? "repo read:org" : "api"; }

  // GitHub answers errors with status 200.
  http::ServerResponse Error(const std::string& code) const {
    const nlohmann::json body = {{"error", code}, {"error_description", "said so"}};
    return {provider_ == Provider::kGitHub ? 200 : 400, {{"Content-Type", "application/json"}}, body.dump()};
  }

  http::ServerResponse Tokens() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++pair_;
    nlohmann::json body = {{"access_token", absl::StrCat("planted-access-", pair_)}, {"token_type", "bearer"}};
    if (provider_ == Provider::kGitLab) {
      body["refresh_token"] = absl::StrCat("planted-refresh-", pair_);
      body["expires_in"] = 7200;
    }
    return {200, {{"Content-Type", "application/json"}}, body.dump()};
  }

  http::ServerResponse Answer(const http::ServerRequest& request) {
    absl::MutexLock lock(&mutex_);
    if (fail_status_ != 0) return {fail_status_, {}, fail_body_};
    const bool github = provider_ == Provider::kGitHub;
    const http::Query form(request.body);
    if (request.method != "POST" || request.headers.Get("Accept") != "application/json" ||
        request.headers.Get("Content-Type") != "application/x-www-form-urlencoded") {
      return {400, {}, ""};
    }
    if (request.path == (github ? "/login/device/code" : "/oauth/authorize_device")) {
      if (form.Get("client_id") != "client-1" || form.Get("client_secret") != kClientSecret ||
          form.Get("scope") != scope()) {
        return Error("invalid_client");
      }
      const nlohmann::json body = {{"device_code", "planted-device-code"},
                                   {"user_code", "WDJB-MJHT"},
                                   {"verification_uri", base_url() + "/device"},
                                   {"expires_in", 900},
                                   {"interval", 5}};
      return {200, {}, body.dump()};
    }
    if (request.path != (github ? "/login/oauth/access_token" : "/oauth/token")) return {404, {}, ""};
    if (form.Get("client_id") != "client-1" || form.Get("client_secret") != kClientSecret) {
      return Error("invalid_client");
    }
    return Grant(form);
  }

  http::ServerResponse Grant(const http::Query& form) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::string type = form.Get("grant_type");
    if (type == "authorization_code") {
      const auto code = codes_.find(form.Get("code"));
      if (code == codes_.end()) return Error("invalid_grant");
      const Code given = code->second;
      codes_.erase(code);
      if (given.redirect_uri != form.Get("redirect_uri") ||
          absl::WebSafeBase64Escape(crypto::Sha256(form.Get("code_verifier"))) != given.challenge) {
        return Error("invalid_grant");
      }
      return Tokens();
    }
    if (type == "urn:ietf:params:oauth:grant-type:device_code") {
      ++polls_;
      if (form.Get("device_code") != "planted-device-code") return Error("invalid_grant");
      return device_error_.empty() ? Tokens() : Error(device_error_);
    }
    if (type == "refresh_token" && form.Get("refresh_token") == absl::StrCat("planted-refresh-", pair_)) {
      return Tokens();
    }
    return Error(type == "refresh_token" ? "invalid_grant" : "unsupported_grant_type");
  }

  const Provider provider_;
  absl::Mutex mutex_;
  std::map<std::string, Code> codes_ ABSL_GUARDED_BY(mutex_);
  int codes_given_ ABSL_GUARDED_BY(mutex_) = 0;
  int pair_ ABSL_GUARDED_BY(mutex_) = 0;
  int polls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string device_error_ ABSL_GUARDED_BY(mutex_) = "authorization_pending";
  int fail_status_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string fail_body_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<http::Server> server_;  // Last: its threads end before the rest.
};

}  // namespace davit::token_registry
