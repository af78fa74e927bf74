// The davit-standalone program: flags → data directory → engines → services → serve → drain.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/buildkit/address.h"
#include "libs/clock/clock.h"
#include "libs/http/address_policy.h"
#include "libs/http/url.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/postgres/conninfo.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "libs/settings/config_report.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/console/console_app.h"
#include "services/standalone/data_dir.h"
#include "services/standalone/engine_set.h"
#include "services/standalone/installation_secrets.h"
#include "services/standalone/log_file.h"
#include "services/standalone/services.h"
#include "services/webhook_gateway/rate_limiter.h"

ABSL_FLAG(std::string, data_dir, "/var/lib/davit", "Directory of everything that is kept; short, on a local disk.");
ABSL_FLAG(std::string, webhook_listen, "127.0.0.1:7081", "host:port to receive webhooks on (HTTP).");
ABSL_FLAG(std::string, console_listen, "127.0.0.1:7082",
          "host:port to serve the web console on (HTTP); empty = no console. Other than a loopback address it needs "
          "--public_url.");
ABSL_FLAG(
    std::string, database, "",
    "libpq connection string of a PostgreSQL role that may create roles and schemas; empty = a private PostgreSQL.");
ABSL_FLAG(std::string, registry, "", "host:port of a registry of your own; empty = a private registry.");
ABSL_FLAG(std::string, registry_credentials_file, "",
          "File with `user:password` of --registry, registered in project `default`; empty = register it yourself.");
ABSL_FLAG(std::string, registry_listen, "127.0.0.1:5000", "IPv4:port of the private registry.");
ABSL_FLAG(std::string, buildkit, "",
          "BuildKit of your own: docker-engine:///path/to/docker.sock or unix:///path/to/buildkitd.sock; `none` = "
          "builds run on "
          "agents elsewhere; empty = a private Docker engine (needs root).");
ABSL_FLAG(std::vector<std::string>, allow_hosts, {},
          "Comma-separated hosts, host:port or CIDR blocks that may have private addresses and may be reached over "
          "plain HTTP: git servers and registries of your own network.");
ABSL_FLAG(std::string, public_url, "",
          "The console's address for browsers, http://HOST[:PORT], or https://HOST[:PORT] behind a proxy that ends "
          "TLS: the console refuses requests from other origins, and commit statuses link to URL/builds/ID. Empty = "
          "where the console listens, which must be a loopback address then, and no links.");
ABSL_FLAG(std::string, oauth_apps_file, "",
          "File with OAuth applications, one `github|gitlab BASE_URL CLIENT_ID SECRET_FILE [REDIRECT_URI]` a line "
          "(SECRET_FILE - = a public client); empty = connections take access tokens only.");
ABSL_FLAG(std::string, webhook_public_url, "",
          "The webhook gateway's address as git providers reach it, for example https://hooks.example.com; needed to "
          "install webhooks through the providers' APIs.");
ABSL_FLAG(double, webhook_rate, 100,
          "Pushes a second that are taken of one webhook in the long run; more are answered 429 with Retry-After.");
ABSL_FLAG(double, webhook_burst, 3000, "Pushes that are taken of one webhook at once, after a pause.");
ABSL_FLAG(absl::Duration, event_retention, absl::Hours(90 * 24),
          "How long the ledger keeps events, for example 2160h; 0 = for ever.");
ABSL_FLAG(absl::Duration, reconcile_interval, absl::Minutes(5),
          "How often a repository's refs are compared with the ledger, to find pushes whose webhook did not come; 0 = "
          "never.");
ABSL_FLAG(int, build_slots, 2, "Builds that this process runs at a time; 0 = none.");
ABSL_FLAG(absl::Duration, lease_ttl, absl::Seconds(30),
          "How long an agent may be silent before its builds are given to another.");
ABSL_FLAG(std::string, postgres_user, "postgres", "Local user that the private PostgreSQL runs as.");
ABSL_FLAG(bool, clean_up_only, false, "Remove what a killed davit-standalone left running, and end.");

namespace davit::standalone {
namespace {

constexpr char kUsage[] =
    "All of Davit in one process, with a private PostgreSQL, registry and BuildKit unless you name your own.\n"
    "The first administrator's API token is in DATA_DIR/admin.token, logs are in DATA_DIR/log.";
constexpr int64_t kLogLimit = 64 << 20;
constexpr char kPrivateRegistryName[] = "private registry";
constexpr char kOwnRegistryName[] = "registry of --registry";

void Say(const std::string& line) { std::fprintf(stderr, "davit-standalone: %s\n", line.c_str()); }

EngineOptions ReadEngineOptions() {
  EngineOptions options;
  options.database = absl::GetFlag(FLAGS_database);
  options.registry = absl::GetFlag(FLAGS_registry);
  options.buildkit = absl::GetFlag(FLAGS_buildkit);
  options.registry_listen = absl::GetFlag(FLAGS_registry_listen);
  options.plain_http_registries = absl::GetFlag(FLAGS_allow_hosts);
  options.postgres_user = absl::GetFlag(FLAGS_postgres_user);
  options.database_roles = ServiceRoleNames();
  return options;
}

ServicesOptions ReadServicesOptions(const rpc::ServiceFlags& flags, const DataDir& data_dir, const EngineSet& engines) {
  ServicesOptions options;
  options.listen = flags.listen;
  options.webhook_listen = absl::GetFlag(FLAGS_webhook_listen);
  options.console_listen = absl::GetFlag(FLAGS_console_listen);
  options.sign_in_codes_file = data_dir.SecretPath("sign_in_codes");
  options.internal_socket = data_dir.Below("run/davit.sock");
  options.database = engines.database();
  options.buildkit = engines.buildkit();
  options.build_slots = absl::GetFlag(FLAGS_build_slots);
  options.agent_name = "local";
  options.agent_dir = data_dir.Below("agent");
  options.allowed_hosts = absl::GetFlag(FLAGS_allow_hosts);
  if (absl::GetFlag(FLAGS_registry).empty()) options.allowed_hosts.push_back(engines.registry());
  options.lease_ttl = absl::GetFlag(FLAGS_lease_ttl);
  options.public_url = absl::GetFlag(FLAGS_public_url);
  options.oauth_apps_file = absl::GetFlag(FLAGS_oauth_apps_file);
  options.webhook_public_url = absl::GetFlag(FLAGS_webhook_public_url);
  options.webhook_rate = absl::GetFlag(FLAGS_webhook_rate);
  options.webhook_burst = absl::GetFlag(FLAGS_webhook_burst);
  options.event_retention = absl::GetFlag(FLAGS_event_retention);
  options.reconcile_interval = absl::GetFlag(FLAGS_reconcile_interval);
  return options;
}

absl::Status RegisterRegistry(Services& services, const EngineSet& engines, const InstallationSecrets& secrets) {
  if (absl::GetFlag(FLAGS_registry).empty()) {
    return services.RegisterRegistry(kPrivateRegistryName, engines.registry(), kRegistryUser,
                                     secrets.registry_password);
  }
  const std::string path = absl::GetFlag(FLAGS_registry_credentials_file);
  if (path.empty()) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString text, rpc::ReadSecretFile(path));
  const size_t colon = text.Reveal().find(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError("registry_credentials_file: expected one line `user:password`");
  }
  return services.RegisterRegistry(kOwnRegistryName, engines.registry(), text.Reveal().substr(0, colon),
                                   crypto::SecretString(text.Reveal().substr(colon + 1)));
}

// A BuildKit of one's own, or none.
absl::Status CheckBuildKit(const std::string& buildkit) {
  if (buildkit.empty() || buildkit == "none") return absl::OkStatus();
  return buildkit::Address::Parse(buildkit).status();
}

absl::Status CheckDatabase(const std::string& conninfo) {
  if (conninfo.empty()) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const auto settings, postgres::ParseConninfo(conninfo));
  if (!settings.contains("password")) return absl::OkStatus();
  return absl::InvalidArgumentError("a password in a flag can be read by every user of the machine; use passfile=");
}

settings::ConfigReport CheckFlags(const rpc::ServiceFlags& flags) {
  settings::ConfigReport report = flags.report;
  if (!absl::StartsWith(absl::GetFlag(FLAGS_data_dir), "/")) {
    report.Note("--data_dir", absl::InvalidArgumentError("is not a path that begins with /"));
  }
  report.Note("--webhook_listen", settings::CheckListenAddress(absl::GetFlag(FLAGS_webhook_listen)));
  if (const std::string console = absl::GetFlag(FLAGS_console_listen); !console.empty()) {
    report.Note("--console_listen", settings::CheckListenAddress(console));
    console::ConsoleOptions options;
    options.listen = console;
    options.public_url = absl::GetFlag(FLAGS_public_url);
    report.Note("--public_url", console::ConsoleApp::CheckPublicUrl(options));
  }
  report.Note("--registry_listen", settings::CheckListenAddress(absl::GetFlag(FLAGS_registry_listen)));
  report.Note("--database", CheckDatabase(absl::GetFlag(FLAGS_database)));
  report.Note("--registry_credentials_file",
              settings::CheckReadableFile(absl::GetFlag(FLAGS_registry_credentials_file)));
  report.Note("--buildkit", CheckBuildKit(absl::GetFlag(FLAGS_buildkit)));
  report.Note("--allow_hosts",
              http::AddressPolicy::Create({.allowed_hosts = absl::GetFlag(FLAGS_allow_hosts)}).status());
  report.Note("--oauth_apps_file", settings::CheckReadableFile(absl::GetFlag(FLAGS_oauth_apps_file)));
  if (const std::string url = absl::GetFlag(FLAGS_webhook_public_url); !url.empty()) {
    report.Note("--webhook_public_url", http::Url::Parse(url).status());
  }
  report.Note("--webhook_rate", webhook_gateway::CheckRate(absl::GetFlag(FLAGS_webhook_rate)));
  report.Note("--webhook_burst", webhook_gateway::CheckBurst(absl::GetFlag(FLAGS_webhook_burst)));
  report.Note("--event_retention", settings::CheckNotNegative(absl::GetFlag(FLAGS_event_retention)));
  report.Note("--reconcile_interval", settings::CheckNotNegative(absl::GetFlag(FLAGS_reconcile_interval)));
  report.Note("--build_slots", settings::CheckRange(absl::GetFlag(FLAGS_build_slots), 0, 256));
  report.Note("--lease_ttl", settings::CheckPositive(absl::GetFlag(FLAGS_lease_ttl)));
  return report;
}

absl::StatusOr<int> Run(const rpc::ServiceFlags& flags, rpc::ShutdownSignal& signal) {
  const settings::ConfigReport report = CheckFlags(flags);
  if (flags.check_config) return report.Print();
  DAVIT_RETURN_IF_ERROR(report.status());
  DAVIT_ASSIGN_OR_RETURN(const auto data_dir, DataDir::Open(absl::GetFlag(FLAGS_data_dir)));
  const std::string ready_path = data_dir->Below("run/ready");
  unlink(ready_path.c_str());
  RealClock clock;
  SystemRandom random;
  DAVIT_ASSIGN_OR_RETURN(const InstallationSecrets secrets, LoadInstallationSecrets(*data_dir, random));
  if (absl::GetFlag(FLAGS_clean_up_only)) {
    DAVIT_RETURN_IF_ERROR(EngineSet::CleanUp(ReadEngineOptions(), *data_dir, secrets));
    return 0;
  }
  DAVIT_ASSIGN_OR_RETURN(const auto log_file, LogFile::Open(data_dir->LogPath("davit"), kLogLimit));
  const Logger logger("standalone", flags.log_level, [&log_file](const std::string& line) { log_file->Write(line); });
  metrics::Registry metrics;
  DAVIT_ASSIGN_OR_RETURN(const auto exposer, rpc::StartExposer(flags, metrics));

  Say(absl::StrCat("starting in ", data_dir->path()));
  DAVIT_ASSIGN_OR_RETURN(const auto engines,
                         EngineSet::Start(ReadEngineOptions(), *data_dir, secrets, random, logger, Say));
  DAVIT_RETURN_IF_ERROR(data_dir->MakeDirectory("agent", 0700, nullptr).status());
  DAVIT_ASSIGN_OR_RETURN(const auto services, Services::Start(ReadServicesOptions(flags, *data_dir, *engines), secrets,
                                                              clock, random, logger, metrics));
  DAVIT_RETURN_IF_ERROR(RegisterRegistry(*services, *engines, secrets));
  DAVIT_RETURN_IF_ERROR(WriteFile(ready_path, absl::StrCat(getpid(), "\n"), 0644, nullptr));
  Say(absl::StrCat("serving gRPC on ", absl::StrJoin(flags.listen, ", "), ", webhooks on ",
                   absl::GetFlag(FLAGS_webhook_listen), ", registry ", engines->registry(), "; API token in ",
                   secrets.admin_token_file));
  DAVIT_ASSIGN_OR_RETURN(const std::string sign_in_link, services->NewSignInLink(secrets.admin_token));
  if (!sign_in_link.empty()) Say(absl::StrCat("console (this link signs in once, within 10 min): ", sign_in_link));
  return rpc::ServeUntilSignal(signal, flags.drain_timeout, logger, [&](absl::Time deadline) {
    Say("stopping");
    unlink(ready_path.c_str());
    services->Drain(deadline);
  });
}

}  // namespace
}  // namespace davit::standalone

int main(int argc, char** argv) {
  davit::rpc::ShutdownSignal signal;
  const auto flags = davit::rpc::ParseServiceFlags(argc, argv, davit::standalone::kUsage, "127.0.0.1:7080");
  if (!flags.ok()) {
    return davit::rpc::FailToRead(davit::Logger::ToStderr("standalone", davit::LogLevel::kInfo), flags.status());
  }
  const absl::StatusOr<int> exit_code = davit::standalone::Run(*flags, signal);
  if (exit_code.ok()) return *exit_code;
  davit::standalone::Say(std::string(exit_code.status().message()));
  return 1;
}
