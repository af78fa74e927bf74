// GitHub's REST API (github.com and Enterprise Server), version 2022-11-28. Thread-safe; calls block on the network.
#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/provider_http.h"

namespace davit::token_registry {

// Where the API of a server is: `https://api.github.com` for github.com, else `BASE/api/v3`.
std::string GitHubApiUrl(const std::string& base_url);

// The calls of ProviderClient for GitHub, with their errors.
class GitHubApi {
 public:
  // `http` must outlive this.
  explicit GitHubApi(ProviderHttp& http) : http_(http) {}

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
  absl::StatusOr<std::string> SearchQuery(const Connection& connection, const crypto::SecretString& token,
                                          const RepositoryFilter& filter);
  absl::StatusOr<std::string> AddChangedPaths(const Connection& connection, const crypto::SecretString& token,
                                              const std::string& comparison, std::set<std::string>& paths,
                                              std::string& incomplete);
  absl::StatusOr<http::Response> FindHook(const Connection& connection, const crypto::SecretString& token,
                                          const HookSpec& hook);

  ProviderHttp& http_;
};

}  // namespace davit::token_registry
