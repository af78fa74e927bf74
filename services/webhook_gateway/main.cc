// The webhook-gateway program: flags → construct → serve → drain.
#include "absl/flags/flag.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/service_flags.h"
#include "libs/rpc/service_main.h"
#include "services/webhook_gateway/grpc_backends.h"
#include "services/webhook_gateway/webhook_gateway_app.h"

ABSL_FLAG(std::string, token_registry, "127.0.0.1:7081",
          "gRPC address of the token-registry: host:port or unix:/path.");
ABSL_FLAG(std::string, rule_engine, "127.0.0.1:7082", "gRPC address of the rule-engine: host:port or unix:/path.");
ABSL_FLAG(double, webhook_rate, davit::webhook_gateway::RateLimit().per_second,
          "Pushes a second that are taken of one webhook in the long run; more are answered 429 with Retry-After.");
ABSL_FLAG(double, webhook_burst, davit::webhook_gateway::RateLimit().burst,
          "Pushes that are taken of one webhook at once, after a pause.");

namespace {

constexpr char kUsage[] =
    "Receives webhooks of GitHub, GitLab and generic git servers over HTTP (POST /hooks/ID), verifies them, and puts "
    "them\n"
    "into the rule-engine's ledger. --listen is its HTTP address; --token_file holds a token of the gateway role.";

void CheckFlags(const davit::rpc::ServiceFlags& flags, davit::settings::ConfigReport& report) {
  davit::rpc::NoteMissingToken(flags, "gateway", report);
  if (flags.listen.size() != 1) {
    report.Note("--listen", absl::InvalidArgumentError("the gateway serves one HTTP address, host:port"));
  }
  report.Note("--token_registry", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_token_registry)));
  report.Note("--rule_engine", davit::settings::CheckServiceAddress(absl::GetFlag(FLAGS_rule_engine)));
  report.Note("--webhook_rate", davit::webhook_gateway::CheckRate(absl::GetFlag(FLAGS_webhook_rate)));
  report.Note("--webhook_burst", davit::webhook_gateway::CheckBurst(absl::GetFlag(FLAGS_webhook_burst)));
}

}  // namespace

int main(int argc, char** argv) {
  davit::rpc::ShutdownSignal signal;
  const absl::StatusOr<davit::rpc::ServiceFlags> flags =
      davit::rpc::ParseServiceFlags(argc, argv, kUsage, "127.0.0.1:7085");
  davit::Logger logger =
      davit::Logger::ToStderr("webhook-gateway", flags.ok() ? flags->log_level : davit::LogLevel::kInfo);
  if (!flags.ok()) return davit::rpc::FailToRead(logger, flags.status());
  davit::settings::ConfigReport report = flags->report;
  CheckFlags(*flags, report);
  if (flags->check_config) return report.Print();
  if (!report.ok()) return davit::rpc::FailToStart(logger, report.status());

  davit::RealClock clock;
  davit::SystemRandom random;
  davit::metrics::Registry metrics;
  const auto exposer = davit::rpc::StartExposer(*flags, metrics);
  if (!exposer.ok()) return davit::rpc::FailToStart(logger, exposer.status());
  davit::webhook_gateway::WebhookGatewayOptions options;
  options.listen = flags->listen[0];
  options.rate_limit = {absl::GetFlag(FLAGS_webhook_rate), absl::GetFlag(FLAGS_webhook_burst)};
  davit::rpc::ClientOptions client;
  client.token = flags->token;
  const auto app = davit::webhook_gateway::WebhookGatewayApp::Create(
      options, clock, random, logger, metrics, davit::rpc::MakeChannel(absl::GetFlag(FLAGS_token_registry), client),
      davit::webhook_gateway::IngestOver(davit::rpc::MakeChannel(absl::GetFlag(FLAGS_rule_engine), client)));
  if (!app.ok()) return davit::rpc::FailToStart(logger, app.status());
  if (const absl::Status started = (*app)->Start(); !started.ok()) return davit::rpc::FailToStart(logger, started);
  logger.Info("serving", {{"listen", options.listen}, {"port", (*app)->port()}});
  return davit::rpc::ServeUntilSignal(signal, flags->drain_timeout, logger,
                                      [&app](absl::Time deadline) { (*app)->Drain(deadline); });
}
