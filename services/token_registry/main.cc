// The program token-registry: flags, construct, serve, drain.
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_split.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/database_flags.h"
#include "libs/rpc/server.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/migrations.h"
#include "services/token_registry/token_registry_app.h"

ABSL_FLAG(std::string, key_file, "",
          "File with the keys that secrets are sealed with, one `id base64key` a line, the first seals.");
ABSL_FLAG(std::string, key_variable, "",
          "Environment variable that holds such keys (lines may end with a semicolon), instead of --key_file.");
ABSL_FLAG(std::string, bootstrap_tokens_file, "",
          "File with API tokens that exist from the start, one `role project token` a line (project * = all).");
ABSL_FLAG(std::string, oauth_apps_file, "",
          "File with OAuth applications, one `github|gitlab BASE_URL CLIENT_ID SECRET_FILE [REDIRECT_URI]` a line "
          "(SECRET_FILE - = a public client); empty = connections take access tokens only.");
ABSL_FLAG(std::string, allow_hosts, "",
          "Comma-separated hosts, host:port or CIDR blocks that may have private addresses and may be reached over "
          "plain HTTP: git servers and registries of your own network.");
ABSL_FLAG(std::string, webhook_public_url, "",
          "The webhook gateway's address as git providers reach it, for example https://hooks.example.com; needed to "
          "install webhooks through the providers' APIs.");
ABSL_FLAG(std::string, ca_file, "", "PEM bundle of certificate authorities to trust; empty = the system's.");

namespace {

constexpr char kUsage[] =
    "Davit's token-registry: source connections, registry credentials, webhooks, API tokens; everything secret.\n"
    "Needs PostgreSQL (--database) and a key file (--key_file; make one with: "
    "echo \"k1 $(openssl rand -base64 32)\" > keys; chmod 600 keys).";
constexpr char kDefaultListen[] = "127.0.0.1:7081";

davit::token_registry::TokenRegistryOptions ReadOptions(const davit::rpc::DatabaseFlags& database) {
  davit::token_registry::TokenRegistryOptions options;
  options.database = database.conninfo;
  options.owner_database = database.owner_conninfo;
  options.database_connections = database.max_connections;
  options.key_file = absl::GetFlag(FLAGS_key_file);
  options.key_variable = absl::GetFlag(FLAGS_key_variable);
  options.oauth_apps_file = absl::GetFlag(FLAGS_oauth_apps_file);
  options.bootstrap_tokens_file = absl::GetFlag(FLAGS_bootstrap_tokens_file);
  options.allowed_hosts = absl::StrSplit(absl::GetFlag(FLAGS_allow_hosts), ',', absl::SkipEmpty());
  options.webhook_public_url = absl::GetFlag(FLAGS_webhook_public_url);
  options.ca_file = absl::GetFlag(FLAGS_ca_file);
  return options;
}

absl::StatusOr<int> Run(const davit::rpc::ServiceFlags& flags, davit::rpc::ShutdownSignal& signal,
                        const davit::Logger& logger) {
  davit::settings::ConfigReport report = flags.report;
  const davit::rpc::DatabaseFlags database = davit::rpc::ReadDatabaseFlags(report);
  const auto options = ReadOptions(database);
  if (!database.migrate_only) davit::token_registry::TokenRegistryApp::CheckOptions(options, report);
  if (flags.check_config) return report.Print();
  DAVIT_RETURN_IF_ERROR(report.status());
  if (database.migrate_only) {
    DAVIT_RETURN_IF_ERROR(
        davit::rpc::MigrateDatabase(database, "token_registry", davit::token_registry::migrations::kAll, logger));
    return 0;
  }
  davit::RealClock clock;
  davit::SystemRandom random;
  davit::metrics::Registry metrics;
  DAVIT_ASSIGN_OR_RETURN(const auto exposer, davit::rpc::StartExposer(flags, metrics));
  DAVIT_ASSIGN_OR_RETURN(const auto app,
                         davit::token_registry::TokenRegistryApp::Create(options, clock, random, logger, metrics));
  DAVIT_ASSIGN_OR_RETURN(
      const auto server,
      davit::rpc::Server::Start(
          {.listen = flags.listen, .quiet_methods = {"/davit.registry.v1.IdentityService/IntrospectToken"}},
          app->services(), logger, metrics));
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
      davit::Logger::ToStderr("token-registry", flags.ok() ? flags->log_level : davit::LogLevel::kInfo);
  if (!flags.ok()) return davit::rpc::FailToRead(logger, flags.status());
  const absl::StatusOr<int> exit_code = Run(*flags, signal, logger);
  return exit_code.ok() ? *exit_code : davit::rpc::FailToStart(logger, exit_code.status());
}
