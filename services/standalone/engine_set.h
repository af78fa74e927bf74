// The engines that this installation runs itself, all started side by side, and the addresses of those that its user
// has already. Owns the supervisors. Started and stopped by one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "services/standalone/data_dir.h"
#include "services/standalone/installation_secrets.h"
#include "services/standalone/supervisor.h"

namespace davit::standalone {

struct EngineOptions {
  // What the user has already; empty = a private one is started.
  std::string database;  // libpq connection string of a role that may create roles and schemas.
  std::string registry;  // Host and port.
  std::string buildkit;  // `docker-engine:///…`, `unix:///…`, `tcp://…`; "none" = builds run elsewhere.

  std::string registry_listen = "127.0.0.1:5000";  // Of the private registry.
  std::vector<std::string>
      plain_http_registries;                // Further registries that the private BuildKit may speak plain HTTP to.
  std::string postgres_user = "postgres";   // The local user that the private PostgreSQL runs as.
  std::vector<std::string> database_roles;  // The roles that this process acts as.
};

class EngineSet {
 public:
  // Starts what is private and waits until all of it serves. On failure everything that was started is stopped again.
  // The parameters must outlive this.
  static absl::StatusOr<std::unique_ptr<EngineSet>> Start(const EngineOptions& options, const DataDir& data_dir,
                                                          const InstallationSecrets& secrets, RandomSource& random,
                                                          const Logger& logger, const Supervisor::Progress& progress);

  // Ends the processes and removes the mounts, control groups and networks that a killed predecessor left, and starts
  // nothing.
  static absl::Status CleanUp(const EngineOptions& options, const DataDir& data_dir,
                              const InstallationSecrets& secrets);

  // Stops the engines in order: first what builds, then what it pushes to, then what remembers.
  ~EngineSet();

  // Connection string of the administrator, address of the registry, address of BuildKit (empty: none).
  const std::string& database() const { return database_; }
  const std::string& registry() const { return registry_; }
  const std::string& buildkit() const { return buildkit_; }

  // Whether everything private serves now.
  absl::Status Health() const;

 private:
  EngineSet() = default;

  std::string database_;
  std::string registry_;
  std::string buildkit_;
  std::vector<std::unique_ptr<Supervisor>> supervisors_;  // In the order of stopping.
};

}  // namespace davit::standalone
