// Providers for tests, without a network. Thread-safe.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
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

  absl::StatusOr<StatusOutcome> SetCommitStatus(const Connection& connection, const crypto::SecretString& token,
                                                const CommitStatus& status) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    statuses_.push_back(status);
    if (!error_.ok()) return error_;
    if (connection.provider == Provider::kGenericGit) return StatusOutcome{StatusOutcome::Kind::kNotSupported, ""};
    return outcome_;
  }

  absl::StatusOr<Listed<RemoteRepository>> ListRepositories(const Connection&, const crypto::SecretString& token,
                                                            const RepositoryFilter& filter,
                                                            const ProviderPage& page) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    if (!error_.ok()) return error_;
    Listed<RemoteRepository> listed;
    listed.items.push_back({absl::StrCat("team/", filter.query, page.number), "main", true, false, ""});
    listed.more = page.number < 2;
    return listed;
  }

  absl::StatusOr<Listed<Organization>> ListOrganizations(const Connection&, const crypto::SecretString& token,
                                                         const ProviderPage&) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    if (!error_.ok()) return error_;
    return Listed<Organization>{{{"team", "The team"}}, false};
  }

  // What changed is named after the commits.
  absl::StatusOr<ChangedPaths> ListChangedPaths(const Connection&, const crypto::SecretString& token,
                                                const std::string& repository, const std::string& before,
                                                const std::string& after) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    if (!error_.ok()) return error_;
    return ChangedPaths{{absl::StrCat(repository, "/", before.substr(0, 1)), after.substr(0, 1)}, "cut"};
  }

  // Hooks are numbered; one that is there and known is as it should be.
  absl::StatusOr<InstalledHook> EnsureHook(const Connection&, const crypto::SecretString& token,
                                           const HookSpec& hook) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    if (!error_.ok()) return error_;
    hook_secrets_.push_back(hook.secret.Reveal());
    if (!hook.known_id.empty() && hooks_.count(hook.known_id) > 0) {
      return InstalledHook{hook.known_id, HookChange::kNone};
    }
    const std::string id = absl::StrCat(++hooks_made_);
    hooks_[id] = hook.url;
    return InstalledHook{id, HookChange::kInstalled};
  }

  absl::Status RemoveHook(const Connection&, const crypto::SecretString& token, const std::string&,
                          const std::string& hook_id) override {
    absl::MutexLock lock(&mutex_);
    shown_.push_back(token.Reveal());
    if (error_.ok()) hooks_.erase(hook_id);
    return error_;
  }

  // The hooks by id, with their addresses, and the secrets that they were given, in order.
  std::map<std::string, std::string> hooks() {
    absl::MutexLock lock(&mutex_);
    return hooks_;
  }
  std::vector<std::string> hook_secrets() {
    absl::MutexLock lock(&mutex_);
    return hook_secrets_;
  }

  // What commits were marked with, and what marking one comes to from now on.
  std::vector<CommitStatus> statuses() {
    absl::MutexLock lock(&mutex_);
    return statuses_;
  }
  void SetOutcome(StatusOutcome outcome) {
    absl::MutexLock lock(&mutex_);
    outcome_ = std::move(outcome);
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
  std::vector<CommitStatus> statuses_ ABSL_GUARDED_BY(mutex_);
  StatusOutcome outcome_ ABSL_GUARDED_BY(mutex_);
  int hooks_made_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::string> hooks_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> hook_secrets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::token_registry
