// The real ProviderClient: GitHub's and GitLab's REST APIs, git over smart HTTP, registries. Thread-safe.
#pragma once

#include <string>

#include "libs/clock/clock.h"
#include "libs/http/client.h"
#include "services/token_registry/github_api.h"
#include "services/token_registry/gitlab_api.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/provider_http.h"

namespace davit::token_registry {

class HttpProviderClient : public ProviderClient {
 public:
  // `client` carries the address policy; `clock` tells when a provider's limits are over. Both must outlive this.
  HttpProviderClient(http::Client& client, Clock& clock)
      : client_(client), http_(client, clock), github_(http_), gitlab_(http_) {}

  absl::StatusOr<TokenFacts> VerifyToken(const Connection& connection, const crypto::SecretString& token) override;
  absl::StatusOr<RemoteRefs> ListRefs(const Connection& connection, const std::string& clone_url,
                                      const crypto::SecretString& token) override;
  absl::Status VerifyRegistryCredential(const RegistryCredential& credential,
                                        const crypto::SecretString& password) override;
  absl::StatusOr<StatusOutcome> SetCommitStatus(const Connection& connection, const crypto::SecretString& token,
                                                const CommitStatus& status) override;
  absl::StatusOr<Listed<RemoteRepository>> ListRepositories(const Connection& connection,
                                                            const crypto::SecretString& token,
                                                            const RepositoryFilter& filter,
                                                            const ProviderPage& page) override;
  absl::StatusOr<Listed<Organization>> ListOrganizations(const Connection& connection,
                                                         const crypto::SecretString& token,
                                                         const ProviderPage& page) override;
  absl::StatusOr<ChangedPaths> ListChangedPaths(const Connection& connection, const crypto::SecretString& token,
                                                const std::string& repository, const std::string& before,
                                                const std::string& after) override;
  absl::StatusOr<InstalledHook> EnsureHook(const Connection& connection, const crypto::SecretString& token,
                                           const HookSpec& hook) override;
  absl::Status RemoveHook(const Connection& connection, const crypto::SecretString& token,
                          const std::string& repository, const std::string& hook_id) override;

 private:
  absl::StatusOr<TokenFacts> VerifyGenericGit(const Connection& connection, const crypto::SecretString& token);

  http::Client& client_;
  ProviderHttp http_;
  GitHubApi github_;
  GitLabApi gitlab_;
};

}  // namespace davit::token_registry
