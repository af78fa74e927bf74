// The console program: flags → construct → serve → drain.
#include "absl/flags/flag.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "services/console/console_app.h"

ABSL_FLAG(std::string, token_registry, "127.0.0.1:7081",
          "gRPC address of the token-registry: host:port or unix:/path.");
ABSL_FLAG(std::string, rule_engine, "127.0.0.1:7082", "gRPC address of the rule-engine: host:port or unix:/path.");
ABSL_FLAG(std::string, scheduler, "127.0.0.1:7083", "gRPC address of the scheduler: host:port or unix:/path.");
ABSL_FLAG(std::string, public_url, "",
          "The console's address for browsers, http://HOST[:PORT], or https://HOST[:PORT] behind a proxy that ends "
          "TLS: the console refuses requests from other origins, and commit statuses link to URL/builds/ID. Empty = "
          "where the console listens, which must be a loopback address then, and no links.");
ABSL_FLAG(std::string, sign_in_codes_file, "",
          "File with one-time sign-in codes, lines `CODE EXPIRES TOKEN`, mode 0600; empty = tokens only.");
ABSL_FLAG(int64_t, max_upload_bytes, int64_t{512} << 20, "Bytes of one uploaded context.");

namespace {

constexpr char kUsage[] =
    "Serves the web console over HTTP: the page itself, and the services' APIs as JSON and server-sent events.\n"
    "--listen is its HTTP address. People sign in with their API tokens; the console has no token of its own.";

davit::console::ConsoleOptions ReadOptions(const davit::rpc::ServiceFlags& flags) {
  davit::console::ConsoleOptions options;
  options.listen = flags.listen.empty() ? "" : flags.listen[0];
  options.public_url = absl::GetFlag(FLAGS_public_url);
  options.sign_in_codes_file = absl::GetFlag(FLAGS_sign_in_codes_file);
  options.max_upload_bytes = absl::GetFlag(FLAGS_max_upload_bytes);
  return options;
}

void CheckFlags(const davit::rpc::ServiceFlags& flags, const davit::console::ConsoleOptions& options,
                davit::settings::ConfigReport& report) {
  if (flags.listen.size() != 1) {
    report.Note("--listen", absl::InvalidArgumentError("the console serves one HTTP address, host:port"));
  }
  report.Note("--public_url", davit::console::ConsoleApp::CheckPublicUrl(options));
  report.Note("--token_registry", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_token_registry)));
  report.Note("--rule_engine", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_rule_engine)));
  report.Note("--scheduler", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_scheduler)));
  report.Note("--max_upload_bytes", davit::settings::CheckRange(options.max_upload_bytes, 1, int64_t{1} << 40));
}

}  // namespace

int main(int argc, char** argv) {
  davit::rpc::ShutdownSignal signal;
  const absl::StatusOr<davit::rpc::ServiceFlags> flags =
      davit::rpc::ParseServiceFlags(argc, argv, kUsage, "127.0.0.1:7086");
  davit::Logger logger = davit::Logger::ToStderr("console", flags.ok() ? flags->log_level : davit::LogLevel::kInfo);
  if (!flags.ok()) return davit::rpc::FailToRead(logger, flags.status());
  davit::settings::ConfigReport report = flags->report;
  const davit::console::ConsoleOptions options = ReadOptions(*flags);
  CheckFlags(*flags, options, report);
  if (flags->check_config) return report.Print();
  if (!report.ok()) return davit::rpc::FailToStart(logger, report.status());

  davit::RealClock clock;
  davit::SystemRandom random;
  davit::metrics::Registry metrics;
  const auto exposer = davit::rpc::StartExposer(*flags, metrics);
  if (!exposer.ok()) return davit::rpc::FailToStart(logger, exposer.status());
  const auto app = davit::console::ConsoleApp::Create(options, clock, random, logger, metrics,
                                                      davit::rpc::MakeChannel(absl::GetFlag(FLAGS_token_registry), {}),
                                                      davit::rpc::MakeChannel(absl::GetFlag(FLAGS_rule_engine), {}),
                                                      davit::rpc::MakeChannel(absl::GetFlag(FLAGS_scheduler), {}));
  if (!app.ok()) return davit::rpc::FailToStart(logger, app.status());
  if (const absl::Status started = (*app)->Start(); !started.ok()) return davit::rpc::FailToStart(logger, started);
  logger.Info("serving", {{"listen", options.listen}, {"port", (*app)->port()}, {"public_url", (*app)->public_url()}});
  return davit::rpc::ServeUntilSignal(signal, flags->drain_timeout, logger,
                                      [&app](absl::Time deadline) { (*app)->Drain(deadline); });
}
