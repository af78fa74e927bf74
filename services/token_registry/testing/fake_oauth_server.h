// An authorization server for tests that gives one grant and replaces both of its tokens with every refresh, as GitLab
// does. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/token_registry/oauth_server.h"

namespace davit::token_registry {

// Tokens are numbered: access-1 and refresh-1 are the first pair.
class FakeOAuthServer : public OAuthServer {
 public:
  std::string AuthorizeUrl(const OAuthApp& app, const std::string&, const std::string& state,
                           const std::string&) override {
    return absl::StrCat(app.base_url, "/authorize?state=", state);
  }

  absl::StatusOr<OAuthTokens> ExchangeCode(const OAuthApp&, const std::string&, const crypto::SecretString&,
                                           const crypto::SecretString&) override {
    return Current();
  }

  absl::StatusOr<DeviceCode> BeginDevice(const OAuthApp&) override {
    return DeviceCode{crypto::SecretString("device"), "ABCD", "https://git.example.com/device", absl::Minutes(15),
                      absl::Seconds(5)};
  }

  absl::StatusOr<DeviceAnswer> PollDevice(const OAuthApp&, const crypto::SecretString&) override {
    return DeviceAnswer{Current()};
  }

  absl::StatusOr<OAuthTokens> Refresh(const OAuthApp&, const crypto::SecretString& refresh_token) override {
    std::function<void()> before;
    {
      absl::MutexLock lock(&mutex_);
      before = before_refresh_;
    }
    if (before) before();
    absl::MutexLock lock(&mutex_);
    ++asked_;
    if (!error_.ok()) return error_;
    if (refresh_token.Reveal() != absl::StrCat("refresh-", pair_)) {
      return absl::UnauthenticatedError("git.example.com refused: invalid_grant");
    }
    ++pair_;
    return Pair();
  }

  // The present pair.
  OAuthTokens Current() {
    absl::MutexLock lock(&mutex_);
    return Pair();
  }

  // What every refresh answers from now on, unless it is OK.
  void Fail(absl::Status error) {
    absl::MutexLock lock(&mutex_);
    error_ = std::move(error);
  }

  // Called at the beginning of every refresh.
  void BeforeRefresh(std::function<void()> before) {
    absl::MutexLock lock(&mutex_);
    before_refresh_ = std::move(before);
  }

  // Refreshes that were asked for, refused ones included.
  int asked() {
    absl::MutexLock lock(&mutex_);
    return asked_;
  }

 private:
  OAuthTokens Pair() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return {crypto::SecretString(absl::StrCat("access-", pair_)), crypto::SecretString(absl::StrCat("refresh-", pair_)),
            absl::Hours(2)};
  }

  absl::Mutex mutex_;
  int pair_ ABSL_GUARDED_BY(mutex_) = 1;
  int asked_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> before_refresh_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::token_registry
