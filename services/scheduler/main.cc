// davit-scheduler: flags, construction, serving, draining. Nothing else reads flags.
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "libs/auth/introspecting_authenticator.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/database_flags.h"
#include "libs/rpc/server.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "services/scheduler/scheduler_app.h"

ABSL_FLAG(std::string, token_registry, "127.0.0.1:7081", "Address of the token-registry.");
ABSL_FLAG(std::vector<std::string>, allow_hosts, {},
          "Registries that may be reached over plain http or at private addresses: host, host:port or CIDR block.");
ABSL_FLAG(absl::Duration, lease_ttl, absl::Seconds(30), "How long a lease lasts without a renewal.");
ABSL_FLAG(absl::Duration, busy_sync_interval, absl::Seconds(1), "When an agent that has builds calls again.");
ABSL_FLAG(int, max_attempts, 3, "Attempts that may fail for an infrastructure reason before a build fails.");
ABSL_FLAG(int, max_running_per_project, 20, "Builds of one project that run at a time, without limits of its own.");
ABSL_FLAG(int64_t, max_log_bytes, int64_t{64} << 20, "Bytes of log that are kept of one attempt.");
ABSL_FLAG(int64_t, max_upload_bytes, int64_t{512} << 20, "Bytes of one uploaded context.");
ABSL_FLAG(
    std::string, public_url, "",
    "Where people see builds, for the links of commit statuses (URL/builds/ID), for example https://davit.example.com; "
    "empty = no links.");
ABSL_FLAG(int, publishers, 2, "Builds whose tags are set at a time.");

namespace davit::scheduler {
namespace {

constexpr char kUsage[] = "Davit's scheduler: builds, queue, leases, logs and the publishing of tags.";

SchedulerOptions ReadOptions(const rpc::DatabaseFlags& database) {
  SchedulerOptions options;
  options.database = database.conninfo;
  options.owner_database = database.owner_conninfo;
  options.database_connections = database.max_connections;
  options.allowed_hosts = absl::GetFlag(FLAGS_allow_hosts);
  options.lease_ttl = absl::GetFlag(FLAGS_lease_ttl);
  options.busy_sync_interval = absl::GetFlag(FLAGS_busy_sync_interval);
  options.retry.max_attempts = absl::GetFlag(FLAGS_max_attempts);
  options.max_running_per_project = absl::GetFlag(FLAGS_max_running_per_project);
  options.max_log_size = absl::GetFlag(FLAGS_max_log_bytes);
  options.max_upload_size = absl::GetFlag(FLAGS_max_upload_bytes);
  options.public_url = absl::GetFlag(FLAGS_public_url);
  options.publishers = absl::GetFlag(FLAGS_publishers);
  return options;
}

int Main(int argc, char** argv) {
  rpc::ShutdownSignal signal;
  const absl::StatusOr<rpc::ServiceFlags> flags = rpc::ParseServiceFlags(argc, argv, kUsage, "127.0.0.1:7083");
  Logger logger = Logger::ToStderr("scheduler", flags.ok() ? flags->log_level : LogLevel::kInfo);
  if (!flags.ok()) return rpc::FailToStart(logger, flags.status());
  const absl::StatusOr<rpc::DatabaseFlags> database = rpc::ReadDatabaseFlags();
  if (!database.ok()) return rpc::FailToStart(logger, database.status());

  RealClock clock;
  SystemRandom random;
  metrics::Registry metrics;
  const absl::StatusOr<std::unique_ptr<metrics::Exposer>> exposer = rpc::StartExposer(*flags, metrics);
  if (!exposer.ok()) return rpc::FailToStart(logger, exposer.status());
  const std::shared_ptr<grpc::Channel> token_registry =
      rpc::MakeChannel(absl::GetFlag(FLAGS_token_registry), {.token = flags->token});
  auth::IntrospectingAuthenticator authenticator(token_registry, clock);

  const absl::StatusOr<std::unique_ptr<SchedulerApp>> app =
      SchedulerApp::Create(ReadOptions(*database), {clock, random, logger, metrics, authenticator, token_registry});
  if (!app.ok()) return rpc::FailToStart(logger, app.status());
  rpc::ServerOptions server_options;
  server_options.listen = flags->listen;
  server_options.quiet_methods = {"/davit.scheduler.v1.AgentService/Synchronize",
                                  "/davit.scheduler.v1.AgentService/AppendLog"};
  const absl::StatusOr<std::unique_ptr<rpc::Server>> server =
      rpc::Server::Start(server_options, (*app)->services(), logger, metrics);
  if (!server.ok()) return rpc::FailToStart(logger, server.status());
  const absl::Status started = (*app)->Start();
  if (!started.ok()) return rpc::FailToStart(logger, started);
  return rpc::ServeUntilSignal(signal, flags->drain_timeout, logger, [&](absl::Time deadline) {
    (*server)->SetHealth(rpc::Server::Health::kNotServing);
    (*app)->Drain(deadline);
    (*server)->Drain(deadline);
  });
}

}  // namespace
}  // namespace davit::scheduler

int main(int argc, char** argv) { return davit::scheduler::Main(argc, argv); }
