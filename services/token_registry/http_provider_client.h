// The real ProviderClient: GitHub's and GitLab's REST APIs, git over smart HTTP, registries. Thread-safe.
#pragma once

#include <string>

#include "libs/http/client.h"
#include "services/token_registry/provider_client.h"

namespace davit::token_registry {

class HttpProviderClient : public ProviderClient {
 public:
  // `client` carries the address policy and must outlive this.
  explicit HttpProviderClient(http::Client& client) : client_(client) {}

  absl::StatusOr<TokenFacts> VerifyToken(const Connection& connection, const crypto::SecretString& token) override;
  absl::StatusOr<RemoteRefs> ListRefs(const Connection& connection, const std::string& clone_url,
                                      const crypto::SecretString& token) override;
  absl::Status VerifyRegistryCredential(const RegistryCredential& credential,
                                        const crypto::SecretString& password) override;

 private:
  absl::StatusOr<TokenFacts> VerifyGitHub(const Connection& connection, const crypto::SecretString& token);
  absl::StatusOr<TokenFacts> VerifyGitLab(const Connection& connection, const crypto::SecretString& token);
  absl::StatusOr<TokenFacts> VerifyGenericGit(const Connection& connection, const crypto::SecretString& token);
  absl::StatusOr<http::Response> Get(const std::string& url, http::Headers headers);

  http::Client& client_;
};

}  // namespace davit::token_registry
