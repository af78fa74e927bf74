// A private Docker engine below the data directory, whose BuildKit does the building: its own socket, storage, bridge,
// control group and a remapped user namespace (what runs as root in a build is an unprivileged user of the host). Needs
// root. Driven by the supervisor's thread.
#pragma once

#include <string>
#include <vector>

#include "services/standalone/bridge.h"
#include "services/standalone/data_dir.h"
#include "services/standalone/engine.h"

namespace davit::standalone {

struct DockerOptions {
  std::string program = "dockerd";
  // Registries that are spoken to over plain HTTP, host and port.
  std::vector<std::string> plain_http_registries;
};

class DockerEngine : public Engine {
 public:
  DockerEngine(const DataDir& data_dir, DockerOptions options);

  // The address for the builder-agent, `docker-engine:///…`.
  std::string BuildKitAddress() const;

  std::string name() const override { return "docker"; }

  // The name of its bridge, which its iptables rules name too; every data directory has its own.
  const std::string& bridge() const { return bridge_.name(); }
  absl::Status Prepare() override;
  absl::StatusOr<std::unique_ptr<process::Process>> Start() override;
  absl::Status Probe() override;
  int stop_signal() const override;
  absl::Duration stop_grace() const override { return absl::Seconds(15); }
  absl::Duration start_deadline() const override { return absl::Seconds(60); }
  absl::Status CleanUp() override;
  std::string log_path() const override;

 private:
  std::string SocketPath() const { return data_dir_.Below("run/docker.sock"); }

  const DataDir& data_dir_;
  const DockerOptions options_;
  const std::string scope_;  // Names the bridge and the control group: "dvt" and a digest of the data directory's path.
  Bridge bridge_;
};

}  // namespace davit::standalone
