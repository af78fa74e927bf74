// A private PostgreSQL below the data directory: reachable over a unix socket only, by this process's user only (peer
// authentication: there is no password to lose). Driven by the supervisor's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/standalone/data_dir.h"
#include "services/standalone/engine.h"

namespace davit::standalone {

struct PostgresOptions {
  std::string bin_dir;            // Where initdb and postgres are; empty = the newest below /usr/lib/postgresql.
  std::string user = "postgres";  // The local user it runs as when this process is root.
  // The database roles that this process may act as, besides the superuser.
  std::vector<std::string> roles;
};

class PostgresEngine : public Engine {
 public:
  PostgresEngine(const DataDir& data_dir, PostgresOptions options);

  // The superuser's connection string to the database `davit`; meaningful once the engine is ready.
  std::string AdminConninfo() const;

  std::string name() const override { return "postgres"; }
  absl::Status Prepare() override;
  absl::StatusOr<std::unique_ptr<process::Process>> Start() override;
  absl::Status Probe() override;
  int stop_signal() const override;
  absl::Duration stop_grace() const override { return absl::Seconds(20); }
  absl::Duration start_deadline() const override { return absl::Seconds(60); }
  absl::Status CleanUp() override;
  std::string log_path() const override;

 private:
  absl::Status FindPrograms();
  absl::Status Initialise();
  absl::Status WriteAccessRules() const;
  process::SpawnOptions Command(std::vector<std::string> argv) const;
  const process::Credentials* owner() const { return credentials_.has_value() ? &*credentials_ : nullptr; }

  const DataDir& data_dir_;
  const PostgresOptions options_;
  std::string bin_dir_;
  std::optional<process::Credentials> credentials_;  // Set when this process is root.
  pid_t postmaster_ = 0;                             // Of the last start.
};

}  // namespace davit::standalone
