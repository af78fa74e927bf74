// An authenticator with a fixed set of tokens, for tests of services. Owns the set; safe to use from any thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/auth/authenticator.h"

namespace davit::auth {

// Knows the tokens that a test adds.
class FakeAuthenticator : public Authenticator {
 public:
  // Accepts `token` as one of `role` in `project` ("*" for all); its id is "tok_" and the token's text.
  void Add(const std::string& token, Role role, const std::string& project = kDefaultProject) {
    absl::MutexLock lock(&mutex_);
    callers_[token] = Caller{"tok_" + token, token, project, role, ""};
  }

  void Remove(const std::string& token) {
    absl::MutexLock lock(&mutex_);
    callers_.erase(token);
  }

  // Answers everything with this error from now on.
  void Fail(absl::Status error) {
    absl::MutexLock lock(&mutex_);
    error_ = std::move(error);
  }

  absl::StatusOr<Caller> Authenticate(absl::string_view token) override {
    absl::MutexLock lock(&mutex_);
    if (!error_.ok()) return error_;
    const auto found = callers_.find(std::string(token));
    if (found == callers_.end()) return InvalidTokenError();
    return found->second;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, Caller> callers_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::auth
