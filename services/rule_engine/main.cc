// The program rule-engine: flags, construct, serve, drain.
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "libs/auth/introspecting_authenticator.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/database_flags.h"
#include "libs/rpc/server.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/migrations.h"
#include "services/rule_engine/rule_engine_app.h"

ABSL_FLAG(std::string, token_registry, "127.0.0.1:7081",
          "gRPC address of the token-registry: host:port or unix:/path.");
ABSL_FLAG(std::string, scheduler, "127.0.0.1:7083", "gRPC address of the scheduler: host:port or unix:/path.");
ABSL_FLAG(absl::Duration, event_retention, absl::Hours(90 * 24),
          "How long the ledger keeps events, for example 2160h; 0 = for ever.");
ABSL_FLAG(absl::Duration, reconcile_interval, absl::Minutes(5),
          "How often a repository's refs are compared with the ledger, to find pushes whose webhook did not come; 0 = "
          "never.");

namespace {

constexpr char kUsage[] =
    "Davit's rule engine: build rules, the ledger of received events, and the orders of builds.\n"
    "Needs PostgreSQL (--database), the token-registry, the scheduler, and a token of the role rule-engine "
    "(--token_file).";
constexpr char kDefaultListen[] = "127.0.0.1:7082";

void CheckFlags(const davit::rpc::ServiceFlags& flags, davit::settings::ConfigReport& report) {
  davit::rpc::NoteMissingToken(flags, "rule-engine", report);
  report.Note("--token_registry", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_token_registry)));
  report.Note("--scheduler", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_scheduler)));
  report.Note("--event_retention", davit::settings::CheckNotNegative(absl::GetFlag(FLAGS_event_retention)));
  report.Note("--reconcile_interval", davit::settings::CheckNotNegative(absl::GetFlag(FLAGS_reconcile_interval)));
}

absl::StatusOr<int> Run(const davit::rpc::ServiceFlags& flags, davit::rpc::ShutdownSignal& signal,
                        const davit::Logger& logger) {
  davit::settings::ConfigReport report = flags.report;
  const davit::rpc::DatabaseFlags database = davit::rpc::ReadDatabaseFlags(report);
  if (!database.migrate_only) CheckFlags(flags, report);
  if (flags.check_config) return report.Print();
  DAVIT_RETURN_IF_ERROR(report.status());
  if (database.migrate_only) {
    DAVIT_RETURN_IF_ERROR(
        davit::rpc::MigrateDatabase(database, "rule_engine", davit::rule_engine::migrations::kAll, logger));
    return 0;
  }
  davit::RealClock clock;
  davit::SystemRandom random;
  davit::metrics::Registry metrics;
  DAVIT_ASSIGN_OR_RETURN(const auto exposer, davit::rpc::StartExposer(flags, metrics));
  const auto token_registry =
      davit::rpc::MakeChannel(absl::GetFlag(FLAGS_token_registry), davit::rpc::ClientOptions{.token = flags.token});
  const auto scheduler =
      davit::rpc::MakeChannel(absl::GetFlag(FLAGS_scheduler), davit::rpc::ClientOptions{.token = flags.token});
  davit::auth::IntrospectingAuthenticator authenticator(token_registry, clock);
  DAVIT_ASSIGN_OR_RETURN(const auto app, davit::rule_engine::RuleEngineApp::Create(
                                             {.conninfo = database.conninfo,
                                              .owner_conninfo = database.owner_conninfo,
                                              .max_connections = database.max_connections,
                                              .event_retention = absl::GetFlag(FLAGS_event_retention),
                                              .reconcile_interval = absl::GetFlag(FLAGS_reconcile_interval)},
                                             clock, random, logger, metrics, authenticator, token_registry, scheduler));
  davit::rpc::ServerOptions options;
  options.listen = flags.listen;
  DAVIT_ASSIGN_OR_RETURN(const auto server, davit::rpc::Server::Start(options, app->services(), logger, metrics));
  DAVIT_RETURN_IF_ERROR(app->Start());
  return davit::rpc::ServeUntilSignal(signal, flags.drain_timeout, logger, [&](absl::Time deadline) {
    server->Drain(deadline);
    app->Drain(deadline);
  });
}

}  // namespace

int main(int argc, char** argv) {
  davit::rpc::ShutdownSignal signal;
  const absl::StatusOr<davit::rpc::ServiceFlags> flags =
      davit::rpc::ParseServiceFlags(argc, argv, kUsage, kDefaultListen);
  const davit::Logger logger =
      davit::Logger::ToStderr("rule-engine", flags.ok() ? flags->log_level : davit::LogLevel::kInfo);
  if (!flags.ok()) return davit::rpc::FailToRead(logger, flags.status());
  const absl::StatusOr<int> exit_code = Run(*flags, signal, logger);
  return exit_code.ok() ? *exit_code : davit::rpc::FailToStart(logger, exit_code.status());
}
