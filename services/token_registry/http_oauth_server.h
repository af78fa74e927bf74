// The real OAuthServer: GitHub's and GitLab's endpoints. Thread-safe; calls block on the network.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libs/http/client.h"
#include "services/token_registry/oauth_server.h"

namespace davit::token_registry {

class HttpOAuthServer : public OAuthServer {
 public:
  // `client` carries the address policy; it must outlive this.
  explicit HttpOAuthServer(http::Client& client) : client_(client) {}

  std::string AuthorizeUrl(const OAuthApp& app, const std::string& redirect_uri, const std::string& state,
                           const std::string& code_challenge) override;
  absl::StatusOr<OAuthTokens> ExchangeCode(const OAuthApp& app, const std::string& redirect_uri,
                                           const crypto::SecretString& code,
                                           const crypto::SecretString& verifier) override;
  absl::StatusOr<DeviceCode> BeginDevice(const OAuthApp& app) override;
  absl::StatusOr<DeviceAnswer> PollDevice(const OAuthApp& app, const crypto::SecretString& device_code) override;
  absl::StatusOr<OAuthTokens> Refresh(const OAuthApp& app, const crypto::SecretString& refresh_token) override;

 private:
  using Form = std::vector<std::pair<std::string, std::string>>;
  absl::StatusOr<http::Response> Post(const std::string& url, const Form& form);
  absl::StatusOr<http::Response> AskForTokens(const OAuthApp& app, Form form);

  http::Client& client_;
};

}  // namespace davit::token_registry
