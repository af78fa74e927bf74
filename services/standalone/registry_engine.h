// A private container registry below the data directory, on a loopback port, with one generated user: nothing is
// anonymous. Driven by the supervisor's thread.
#pragma once

#include <optional>
#include <string>

#include "libs/crypto/secret.h"
#include "services/standalone/data_dir.h"
#include "services/standalone/engine.h"

namespace davit::standalone {

struct RegistryOptions {
  std::string listen;  // IPv4 address and port.
  std::string program = "docker-registry";
  std::string user =
      "docker-registry";          // The local user it runs as when this process is root; root's own when there is none.
  std::string username;           // Who may pull and push.
  crypto::SecretString password;  // Only its bcrypt hash is written to the registry's files.
  crypto::SecretString http_secret;  // Signs upload states.
};

class RegistryEngine : public Engine {
 public:
  RegistryEngine(const DataDir& data_dir, RegistryOptions options);

  std::string name() const override { return "registry"; }
  absl::Status Prepare() override;
  absl::StatusOr<std::unique_ptr<process::Process>> Start() override;
  absl::Status Probe() override;
  int stop_signal() const override;
  absl::Duration stop_grace() const override { return absl::Seconds(5); }
  absl::Duration start_deadline() const override { return absl::Seconds(30); }
  absl::Status CleanUp() override { return absl::OkStatus(); }
  std::string log_path() const override;

 private:
  const DataDir& data_dir_;
  const RegistryOptions options_;
  std::optional<process::Credentials> credentials_;
};

}  // namespace davit::standalone
