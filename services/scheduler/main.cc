// davit-scheduler: flags, construction, serving, draining. Nothing else reads flags.
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "libs/auth/introspecting_authenticator.h"
#include "libs/clock/clock.h"
#include "libs/http/address_policy.h"
#include "libs/http/url.h"
#include "libs/ids/random.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/database_flags.h"
#include "libs/rpc/server.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/migrations.h"
#include "services/scheduler/scheduler_app.h"

ABSL_FLAG(std::string, token_registry, "127.0.0.1:7081",
          "gRPC address of the token-registry: host:port or unix:/path.");
ABSL_FLAG(std::vector<std::string>, allow_hosts, {},
          "Comma-separated hosts, host:port or CIDR blocks that may have private addresses and may be reached over "
          "plain HTTP: git servers and registries of your own network.");
ABSL_FLAG(absl::Duration, lease_ttl, absl::Seconds(30),
          "How long an agent may be silent before its builds are given to another.");
ABSL_FLAG(absl::Duration, busy_sync_interval, absl::Seconds(1), "When an agent that has builds calls again.");
ABSL_FLAG(int, max_attempts, 3, "Attempts that may fail for an infrastructure reason before a build fails.");
ABSL_FLAG(int, max_running_per_project, 20, "Builds of one project that run at a time, without limits of its own.");
ABSL_FLAG(int64_t, max_log_bytes, int64_t{64} << 20, "Bytes of log that are kept of one attempt.");
ABSL_FLAG(int64_t, max_upload_bytes, int64_t{512} << 20, "Bytes of one uploaded context.");
ABSL_FLAG(std::string, public_url, "",
          "The console's address for browsers, http://HOST[:PORT], or https://HOST[:PORT] behind a proxy that ends "
          "TLS: the console refuses requests from other origins, and commit statuses link to URL/builds/ID. Empty = "
          "where the console listens, which must be a loopback address then, and no links.");
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

void CheckFlags(const rpc::ServiceFlags& flags, const SchedulerOptions& options, settings::ConfigReport& report) {
  rpc::NoteMissingToken(flags, "scheduler", report);
  report.Note("--token_registry", settings::CheckServiceAddress(absl::GetFlag(FLAGS_token_registry)));
  report.Note("--allow_hosts", http::AddressPolicy::Create({.allowed_hosts = options.allowed_hosts}).status());
  if (!options.public_url.empty()) report.Note("--public_url", http::Url::Parse(options.public_url).status());
  report.Note("--lease_ttl", settings::CheckPositive(options.lease_ttl));
  report.Note("--busy_sync_interval", settings::CheckPositive(options.busy_sync_interval));
  report.Note("--max_attempts", settings::CheckRange(options.retry.max_attempts, 1, 100));
  report.Note("--max_running_per_project", settings::CheckRange(options.max_running_per_project, 1, 1'000'000));
  report.Note("--max_log_bytes", settings::CheckRange(options.max_log_size, 1, int64_t{1} << 40));
  report.Note("--max_upload_bytes", settings::CheckRange(options.max_upload_size, 1, int64_t{1} << 40));
  report.Note("--publishers", settings::CheckRange(options.publishers, 1, 1000));
}

absl::StatusOr<int> Run(const rpc::ServiceFlags& flags, rpc::ShutdownSignal& signal, const Logger& logger) {
  settings::ConfigReport report = flags.report;
  const rpc::DatabaseFlags database = rpc::ReadDatabaseFlags(report);
  const SchedulerOptions options = ReadOptions(database);
  if (!database.migrate_only) CheckFlags(flags, options, report);
  if (flags.check_config) return report.Print();
  DAVIT_RETURN_IF_ERROR(report.status());
  if (database.migrate_only) {
    DAVIT_RETURN_IF_ERROR(rpc::MigrateDatabase(database, "scheduler", migrations::kAll, logger));
    return 0;
  }
  RealClock clock;
  SystemRandom random;
  metrics::Registry metrics;
  DAVIT_ASSIGN_OR_RETURN(const auto exposer, rpc::StartExposer(flags, metrics));
  const std::shared_ptr<grpc::Channel> token_registry =
      rpc::MakeChannel(absl::GetFlag(FLAGS_token_registry), {.token = flags.token});
  auth::IntrospectingAuthenticator authenticator(token_registry, clock);

  DAVIT_ASSIGN_OR_RETURN(
      const auto app, SchedulerApp::Create(options, {clock, random, logger, metrics, authenticator, token_registry}));
  rpc::ServerOptions server_options;
  server_options.listen = flags.listen;
  server_options.quiet_methods = {"/davit.scheduler.v1.AgentService/Synchronize",
                                  "/davit.scheduler.v1.AgentService/AppendLog"};
  DAVIT_ASSIGN_OR_RETURN(const auto server, rpc::Server::Start(server_options, app->services(), logger, metrics));
  DAVIT_RETURN_IF_ERROR(app->Start());
  return rpc::ServeUntilSignal(signal, flags.drain_timeout, logger, [&](absl::Time deadline) {
    server->SetHealth(rpc::Server::Health::kNotServing);
    app->Drain(deadline);
    server->Drain(deadline);
  });
}

int Main(int argc, char** argv) {
  rpc::ShutdownSignal signal;
  const absl::StatusOr<rpc::ServiceFlags> flags = rpc::ParseServiceFlags(argc, argv, kUsage, "127.0.0.1:7083");
  Logger logger = Logger::ToStderr("scheduler", flags.ok() ? flags->log_level : LogLevel::kInfo);
  if (!flags.ok()) return rpc::FailToRead(logger, flags.status());
  const absl::StatusOr<int> exit_code = Run(*flags, signal, logger);
  return exit_code.ok() ? *exit_code : rpc::FailToStart(logger, exit_code.status());
}

}  // namespace
}  // namespace davit::scheduler

int main(int argc, char** argv) { return davit::scheduler::Main(argc, argv); }
