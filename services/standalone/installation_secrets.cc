// Implements reading and making the installation's secrets.
#include "services/standalone/installation_secrets.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/key_ring.h"
#include "libs/crypto/token.h"
#include "libs/status/status_macros.h"

namespace davit::standalone {

absl::StatusOr<InstallationSecrets> LoadInstallationSecrets(const DataDir& data_dir, RandomSource& random) {
  InstallationSecrets secrets;
  secrets.key_file = data_dir.SecretPath("keys");
  secrets.bootstrap_tokens_file = data_dir.SecretPath("bootstrap_tokens");
  secrets.admin_token_file = data_dir.Below("admin.token");
  DAVIT_RETURN_IF_ERROR(
      data_dir.ReadOrCreateSecret("keys", [&] { return crypto::KeyRing::NewFileText("k1", random).Reveal(); })
          .status());

  struct Token {
    const char* name;
    const char* prefix;
    const char* role;  // Null: not an API token.
    crypto::SecretString* token;
  };
  const Token tokens[] = {
      {"admin.token", "dvt_", "admin", &secrets.admin_token},
      {"agent.token", "dvt_", "agent", &secrets.agent_token},
      {"gateway.token", "dvt_", "gateway", &secrets.gateway_token},
      {"rule_engine.token", "dvt_", "rule-engine", &secrets.rule_engine_token},
      {"scheduler.token", "dvt_", "scheduler", &secrets.scheduler_token},
      {"registry.password", "", nullptr, &secrets.registry_password},
      {"registry.http_secret", "", nullptr, &secrets.registry_http_secret},
  };
  std::string bootstrap = "# role project token\n";
  for (const Token& token : tokens) {
    DAVIT_ASSIGN_OR_RETURN(std::string text, data_dir.ReadOrCreateSecret(token.name, [&] {
      return crypto::RandomToken(random, token.prefix).Reveal() + "\n";
    }));
    *token.token = crypto::SecretString(std::string(absl::StripAsciiWhitespace(text)));
    if (token.role != nullptr) absl::StrAppend(&bootstrap, token.role, " * ", token.token->Reveal(), "\n");
    crypto::Wipe(text);
  }
  absl::Status written = WriteFile(secrets.bootstrap_tokens_file, bootstrap, 0600, nullptr);
  crypto::Wipe(bootstrap);
  DAVIT_RETURN_IF_ERROR(written);
  DAVIT_RETURN_IF_ERROR(
      WriteFile(secrets.admin_token_file, absl::StrCat(secrets.admin_token.Reveal(), "\n"), 0600, nullptr));
  return secrets;
}

}  // namespace davit::standalone
