// The program builder-agent: flags, construct, run, drain.
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "libs/status/status_macros.h"
#include "services/builder_agent/builder_agent_app.h"

ABSL_FLAG(std::string, token_registry, "127.0.0.1:7081",
          "gRPC address of the token-registry: host:port or unix:/path.");
ABSL_FLAG(std::string, scheduler, "127.0.0.1:7083", "gRPC address of the scheduler: host:port or unix:/path.");
ABSL_FLAG(std::string, agent_name, "",
          "Name of this agent, unique in the installation and kept over restarts; empty = the host's name.");
ABSL_FLAG(std::vector<std::string>, labels, {}, "Labels of this agent, as name=value,…");
ABSL_FLAG(int, slots, 1, "Builds at a time, 1 to 256.");
ABSL_FLAG(std::string, work_dir, "/var/lib/davit/builder-agent",
          "Directory for mirrors and spools; of this agent alone.");
ABSL_FLAG(
    std::string, buildkit, "unix:///run/buildkit/buildkitd.sock",
    "Where BuildKit is: docker-engine:///path/to/docker.sock, unix:///path/to/buildkitd.sock or tcp://host:port.");
ABSL_FLAG(std::string, run_network, "default", "Network of RUN steps: default, host or none.");
ABSL_FLAG(std::string, image_export, "auto", "How images leave BuildKit: auto, direct or docker-engine.");
ABSL_FLAG(std::string, engine_socket, "",
          "The engine's API socket for --image_export=docker-engine when --buildkit is not it.");
ABSL_FLAG(std::vector<std::string>, allow_hosts, {},
          "Comma-separated hosts, host:port or CIDR blocks that may have private addresses and may be reached over "
          "plain HTTP: git servers and registries of your own network.");
ABSL_FLAG(std::vector<std::string>, plain_http_registry, {},
          "Comma-separated registries (host:port) that BuildKit pushes to without TLS.");
ABSL_FLAG(std::string, ca_file, "", "PEM bundle of certificate authorities to trust; empty = the system's.");
ABSL_FLAG(int64_t, mirror_budget_mib, 20 << 10, "MiB that mirrors of repositories may take together.");

namespace {

constexpr char kUsage[] =
    "Davit's builder agent: takes builds from the scheduler, fetches, builds with BuildKit and pushes.\n"
    "Needs the scheduler, the token-registry, a BuildKit (--buildkit), and a token of the role agent (--token_file).";
// Only health and reflection are served, and only where --listen says.
constexpr char kDefaultListen[] = "127.0.0.1:7084";
constexpr absl::Duration kSupersededLook = absl::Seconds(1);

davit::builder_agent::BuilderAgentOptions ReadOptions(davit::settings::ConfigReport& report) {
  davit::builder_agent::BuilderAgentOptions options;
  options.agent_name = absl::GetFlag(FLAGS_agent_name);
  if (options.agent_name.empty()) {
    char host[256] = {};
    gethostname(host, sizeof(host) - 1);
    options.agent_name = host;
  }
  for (const std::string& label : absl::GetFlag(FLAGS_labels)) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(label, absl::MaxSplits('=', 1));
    if (pair.first.empty()) {
      report.Note("--labels", absl::InvalidArgumentError(absl::StrCat("\"", label, "\" is not name=value")));
    }
    options.labels.insert(pair);
  }
  options.slots = absl::GetFlag(FLAGS_slots);
  options.work_directory = absl::GetFlag(FLAGS_work_dir);
  options.buildkit = absl::GetFlag(FLAGS_buildkit);
  options.run_network = absl::GetFlag(FLAGS_run_network);
  options.image_export = absl::GetFlag(FLAGS_image_export);
  options.engine_socket = absl::GetFlag(FLAGS_engine_socket);
  options.allowed_hosts = absl::GetFlag(FLAGS_allow_hosts);
  options.plain_http_registries = absl::GetFlag(FLAGS_plain_http_registry);
  options.ca_file = absl::GetFlag(FLAGS_ca_file);
  options.mirror_budget_bytes = absl::GetFlag(FLAGS_mirror_budget_mib) << 20;
  return options;
}

void CheckFlags(const davit::rpc::ServiceFlags& flags, const davit::builder_agent::BuilderAgentOptions& options,
                davit::settings::ConfigReport& report) {
  davit::rpc::NoteMissingToken(flags, "agent", report);
  report.Note("--token_registry", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_token_registry)));
  report.Note("--scheduler", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_scheduler)));
  davit::builder_agent::BuilderAgentApp::CheckOptions(options, report);
}

absl::StatusOr<int> Run(const davit::rpc::ServiceFlags& flags, davit::rpc::ShutdownSignal& signal,
                        const davit::Logger& logger) {
  davit::settings::ConfigReport report = flags.report;
  const davit::builder_agent::BuilderAgentOptions options = ReadOptions(report);
  CheckFlags(flags, options, report);
  if (flags.check_config) return report.Print();
  DAVIT_RETURN_IF_ERROR(report.status());
  davit::RealClock clock;
  davit::SystemRandom random;
  davit::metrics::Registry metrics;
  DAVIT_ASSIGN_OR_RETURN(const auto exposer, davit::rpc::StartExposer(flags, metrics));
  const davit::rpc::ClientOptions client{.token = flags.token};
  DAVIT_ASSIGN_OR_RETURN(const auto app, davit::builder_agent::BuilderAgentApp::Create(
                                             options, clock, random, logger, metrics,
                                             davit::rpc::MakeChannel(absl::GetFlag(FLAGS_scheduler), client),
                                             davit::rpc::MakeChannel(absl::GetFlag(FLAGS_token_registry), client)));
  davit::rpc::ServerOptions listening;
  listening.listen = flags.listen;
  DAVIT_ASSIGN_OR_RETURN(const auto server, davit::rpc::Server::Start(listening, app->services(), logger, metrics));
  if (const absl::Status reached = app->CheckBuildKit(); !reached.ok()) {
    logger.Warning("BuildKit does not answer yet", {{"error", reached}});
  }
  DAVIT_RETURN_IF_ERROR(app->Start());
  while (!signal.WaitFor(kSupersededLook)) {
    if (app->superseded()) return absl::FailedPreconditionError("a newer agent of this name has taken over");
  }
  return davit::rpc::ServeUntilSignal(signal, flags.drain_timeout, logger, [&](absl::Time deadline) {
    app->Drain(deadline);
    server->Drain(deadline);
  });
}

}  // namespace

int main(int argc, char** argv) {
  davit::rpc::ShutdownSignal signal;
  const absl::StatusOr<davit::rpc::ServiceFlags> flags =
      davit::rpc::ParseServiceFlags(argc, argv, kUsage, kDefaultListen);
  const davit::Logger logger =
      davit::Logger::ToStderr("builder-agent", flags.ok() ? flags->log_level : davit::LogLevel::kInfo);
  if (!flags.ok()) return davit::rpc::FailToRead(logger, flags.status());
  const absl::StatusOr<int> exit_code = Run(*flags, signal, logger);
  return exit_code.ok() ? *exit_code : davit::rpc::FailToStart(logger, exit_code.status());
}
