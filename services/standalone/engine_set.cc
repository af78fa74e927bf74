// Implements the set of engines.
#include "services/standalone/engine_set.h"

#include <utility>

#include "libs/status/status_macros.h"
#include "services/standalone/docker_engine.h"
#include "services/standalone/leftovers.h"
#include "services/standalone/postgres_engine.h"
#include "services/standalone/registry_engine.h"

namespace davit::standalone {
namespace {

// The private engines of an installation, with the addresses of all.
struct Engines {
  std::string database;
  std::string registry;
  std::string buildkit;
  std::vector<std::unique_ptr<Engine>> engines;  // In the order of stopping.
};

Engines MakeEngines(const EngineOptions& options, const DataDir& data_dir, const InstallationSecrets& secrets) {
  Engines made{options.database, options.registry, options.buildkit, {}};
  if (made.registry.empty()) made.registry = options.registry_listen;
  if (made.buildkit.empty()) {
    DockerOptions docker;
    docker.plain_http_registries = options.plain_http_registries;
    docker.plain_http_registries.push_back(made.registry);
    auto engine = std::make_unique<DockerEngine>(data_dir, std::move(docker));
    made.buildkit = engine->BuildKitAddress();
    made.engines.push_back(std::move(engine));
  } else if (made.buildkit == "none") {
    made.buildkit.clear();
  }
  if (options.registry.empty()) {
    RegistryOptions registry;
    registry.listen = options.registry_listen;
    registry.username = kRegistryUser;
    registry.password = secrets.registry_password;
    registry.http_secret = secrets.registry_http_secret;
    made.engines.push_back(std::make_unique<RegistryEngine>(data_dir, std::move(registry)));
  }
  if (made.database.empty()) {
    PostgresOptions postgres;
    postgres.user = options.postgres_user;
    postgres.roles = options.database_roles;
    auto engine = std::make_unique<PostgresEngine>(data_dir, std::move(postgres));
    made.database = engine->AdminConninfo();
    made.engines.push_back(std::move(engine));
  }
  return made;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EngineSet>> EngineSet::Start(const EngineOptions& options, const DataDir& data_dir,
                                                            const InstallationSecrets& secrets, RandomSource& random,
                                                            const Logger& logger,
                                                            const Supervisor::Progress& progress) {
  Engines made = MakeEngines(options, data_dir, secrets);
  std::unique_ptr<EngineSet> set(new EngineSet());
  set->database_ = std::move(made.database);
  set->registry_ = std::move(made.registry);
  set->buildkit_ = std::move(made.buildkit);
  for (std::unique_ptr<Engine>& engine : made.engines) {
    set->supervisors_.push_back(
        std::make_unique<Supervisor>(std::move(engine), data_dir, random, logger, progress, SupervisorOptions{}));
    set->supervisors_.back()->Start();
  }
  absl::Status first;
  for (const std::unique_ptr<Supervisor>& supervisor : set->supervisors_) {
    absl::Status status = supervisor->WaitReady();
    if (first.ok()) first = status;
  }
  if (!first.ok()) return first;
  return set;
}

absl::Status EngineSet::CleanUp(const EngineOptions& options, const DataDir& data_dir,
                                const InstallationSecrets& secrets) {
  Engines made = MakeEngines(options, data_dir, secrets);
  absl::Status first;
  for (const std::unique_ptr<Engine>& engine : made.engines) {
    absl::Status status = EndRecordedProcess(data_dir.PidRecordPath(engine->name()), data_dir.path(),
                                             engine->stop_signal(), engine->stop_grace());
    if (first.ok()) first = status;
    status = engine->CleanUp();
    if (first.ok()) first = status;
  }
  return first;
}

EngineSet::~EngineSet() {
  for (const std::unique_ptr<Supervisor>& supervisor : supervisors_) supervisor->Stop();
}

absl::Status EngineSet::Health() const {
  for (const std::unique_ptr<Supervisor>& supervisor : supervisors_) DAVIT_RETURN_IF_ERROR(supervisor->Health());
  return absl::OkStatus();
}

}  // namespace davit::standalone
