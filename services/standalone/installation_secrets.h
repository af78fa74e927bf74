// The secrets of one installation, made at its first start: the key that encrypts, the tokens with which the services
// know each other, the first administrator's token, the private registry's password. A value; immutable after
// construction.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "services/standalone/data_dir.h"

namespace davit::standalone {

// Who may pull from and push to the private registry.
inline constexpr char kRegistryUser[] = "davit";

struct InstallationSecrets {
  // Files, each readable by their owner only.
  std::string key_file;               // Key encryption keys, for the token-registry.
  std::string bootstrap_tokens_file;  // Every token below with its role, for the token-registry.
  std::string admin_token_file;       // The first administrator's, for people.

  crypto::SecretString admin_token;
  crypto::SecretString agent_token;
  crypto::SecretString gateway_token;
  crypto::SecretString rule_engine_token;
  crypto::SecretString scheduler_token;
  crypto::SecretString registry_password;     // Of user `davit` of the private registry.
  crypto::SecretString registry_http_secret;  // Signs the private registry's upload states.
};

// Reads the installation's secrets, making those that are missing.
absl::StatusOr<InstallationSecrets> LoadInstallationSecrets(const DataDir& data_dir, RandomSource& random);

}  // namespace davit::standalone
