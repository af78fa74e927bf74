// Providers for tests, without a network. Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/token_registry/provider_client.h"

namespace davit::token_registry {

// Accepts everything until told otherwise, and remembers which secrets it was shown.
class FakeProviderClient : public ProviderClient {
 public:
  absl::StatusOr<TokenFacts> VerifyToken(const Connection&, const crypto::SecretString& token) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    if (!error_.ok()) return error_;
    return facts_;
  }

  absl::StatusOr<RemoteRefs> ListRefs(const Connection&, const std::string& clone_url,
                                      const crypto::SecretString& token) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    asked_ = clone_url;
    if (!error_.ok()) return error_;
    return refs_;
  }

  absl::Status VerifyRegistryCredential(const RegistryCredential&, const crypto::SecretString& password) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(password.Reveal());
    return error_;
  }

  // What every call answers from now on.
  void Fail(absl::Status error) {
    absl::MutexLock lock(&mutex_);
    error_ = std::move(error);
  }
  void SetFacts(TokenFacts facts) {
    absl::MutexLock lock(&mutex_);
    facts_ = std::move(facts);
  }
  void SetRefs(RemoteRefs refs) {
    absl::MutexLock lock(&mutex_);
    refs_ = std::move(refs);
  }

  // Every secret that a call came with, in order, and the last clone URL that was asked for refs.
  std::vector<std::string> shown() {
    absl::MutexLock lock(&mutex_);
    return shown_;
  }
  std::string asked() {
    absl::MutexLock lock(&mutex_);
    return asked_;
  }

 private:
  absl::Mutex mutex_;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  TokenFacts facts_ ABSL_GUARDED_BY(mutex_);
  RemoteRefs refs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> shown_ ABSL_GUARDED_BY(mutex_);
  std::string asked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::token_registry
