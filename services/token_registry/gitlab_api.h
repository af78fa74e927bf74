// GitLab's REST API, version 4 (gitlab.com and self-hosted). Thread-safe; calls block on the network.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/provider_http.h"

namespace davit::token_registry {

// The calls of ProviderClient for GitLab, with their errors.
class GitLabApi {
 public:
  // `http` must outlive this.
  explicit GitLabApi(ProviderHttp& http) : http_(http) {}

  absl::StatusOr<TokenFacts> VerifyToken(const Connection& connection, const crypto::SecretString& token);
  absl::StatusOr<StatusOutcome> SetCommitStatus(const Connection& connection, const crypto::SecretString& token,
                                                const CommitStatus& status);
  absl::StatusOr<Listed<RemoteRepository>> ListRepositories(const Connection& connection,
                                                            const crypto::SecretString& token,
                                                            const RepositoryFilter& filter, const ProviderPage& page);
  absl::StatusOr<Listed<Organization>> ListOrganizations(const Connection& connection,
                                                         const crypto::SecretString& token, const ProviderPage& page);
  absl::StatusOr<ChangedPaths> ListChangedPaths(const Connection& connection, const crypto::SecretString& token,
                                                const std::string& repository, const std::string& before,
                                                const std::string& after);
  absl::StatusOr<InstalledHook> EnsureHook(const Connection& connection, const crypto::SecretString& token,
                                           const HookSpec& hook);
  absl::Status RemoveHook(const Connection& connection, const crypto::SecretString& token,
                          const std::string& repository, const std::string& hook_id);

 private:
  absl::StatusOr<http::Response> Call(const Connection& connection, const crypto::SecretString& token,
                                      const std::string& method, const std::string& path, const std::string& body = "");
  absl::StatusOr<http::Response> TokenInfo(const Connection& connection, const crypto::SecretString& token);
  absl::StatusOr<http::Response> FindHook(const Connection& connection, const crypto::SecretString& token,
                                          const HookSpec& hook);

  ProviderHttp& http_;
};

}  // namespace davit::token_registry
