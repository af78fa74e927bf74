// The OAuth applications that the operator registered at providers. Immutable after construction; usable from any
// thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/crypto/secret.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// An application at one server.
struct OAuthApp {
  Provider provider = Provider::kGitHub;
  std::string base_url;  // Without a trailing slash.
  std::string client_id;
  crypto::SecretString client_secret;  // Empty: a public client.
  std::string redirect_uri;            // Beside loopback addresses; empty: none.
};

// At most one application for each server.
class OAuthApps {
 public:
  // Reads a secret from a file.
  using SecretReader = std::function<absl::StatusOr<crypto::SecretString>(const std::string& path)>;

  // No applications.
  OAuthApps() = default;

  // Reads the text of a configuration file: one application a line, `github|gitlab BASE_URL CLIENT_ID SECRET_FILE
  // [REDIRECT_URI]`; SECRET_FILE is `-` for a public client. Blank lines and lines that start with # are skipped.
  // Errors name the line.
  static absl::StatusOr<OAuthApps> Parse(absl::string_view text, const SecretReader& read_secret);

  // The application at the server; null when there is none.
  const OAuthApp* Find(Provider provider, absl::string_view base_url) const;

 private:
  std::vector<OAuthApp> apps_;
};

}  // namespace davit::token_registry
