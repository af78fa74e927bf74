// Implements service_flags.h. The flags are process-wide and are read once, on main's thread.
#include "libs/rpc/service_flags.h"

#include <unistd.h>

#include <mutex>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "libs/rpc/service_main.h"
#include "libs/settings/flag_sources.h"
#include "libs/status/status_macros.h"

ABSL_FLAG(std::optional<std::string>, listen, std::nullopt,
          "Comma-separated addresses to serve on: host:port, [::]:port or unix:/path; the webhook-gateway and the "
          "console serve HTTP on one host:port.");
ABSL_FLAG(std::string, token_file, "", "File with this service's own API token, for its calls to other services.");
ABSL_FLAG(std::string, log_level, "info", "Least level to log: debug, info, warning or error.");
ABSL_FLAG(std::string, metrics_listen, "", "host:port to serve Prometheus metrics on, at /metrics; empty = nowhere.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(20),
          "How long open calls may go on after SIGTERM or SIGINT before they are cancelled.");
ABSL_FLAG(bool, check_config, false,
          "Say what is wrong with the configuration, without starting anything, and end: exit code 0 or 1.");

namespace davit::rpc {
namespace {

constexpr absl::Duration kLongestDrain = absl::Hours(24);

void DescribeProgram(absl::string_view usage, absl::string_view default_listen) {
  absl::SetProgramUsageMessage(
      absl::StrCat(usage, "\nListens on ", default_listen,
                   " unless --listen says otherwise. Every flag --a_flag can also be given in the environment, as "
                   "DAVIT_A_FLAG, or in the file of --config_file, as a_flag."));
  // Abseil's --help lists the flags of a file that is called like the program.
  absl::FlagsUsageConfig config;
  config.contains_help_flags = settings::IsOwnFlag;
  absl::SetFlagsUsageConfig(config);
}

void NoteListenAddresses(ServiceFlags& flags) {
  for (const std::string& address : flags.listen) {
    flags.report.Note("--listen", settings::CheckListenAddress(address));
  }
  if (!flags.metrics_listen.empty()) {
    flags.report.Note("--metrics_listen", settings::CheckListenAddress(flags.metrics_listen));
  }
}

}  // namespace

absl::StatusOr<ServiceFlags> ParseServiceFlags(int argc, char** argv, absl::string_view usage,
                                               absl::string_view default_listen) {
  static std::once_flag once;
  std::call_once(once, [&] {
    DescribeProgram(usage, default_listen);
    // Debian's Abseil looks for lock cycles in every program, which costs at each lock; the tests have it on.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  });
  DAVIT_RETURN_IF_ERROR(settings::ReadFlags(argc, argv, environ));
  ServiceFlags flags;
  flags.listen =
      absl::StrSplit(absl::GetFlag(FLAGS_listen).value_or(std::string(default_listen)), ',', absl::SkipEmpty());
  flags.metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  NoteListenAddresses(flags);
  flags.drain_timeout = absl::GetFlag(FLAGS_drain_timeout);
  if (flags.drain_timeout < absl::ZeroDuration() || flags.drain_timeout > kLongestDrain) {
    flags.report.Note("--drain_timeout", absl::InvalidArgumentError("is not from 0s to 24h"));
  }
  flags.check_config = absl::GetFlag(FLAGS_check_config);
  const absl::StatusOr<LogLevel> level = ParseLogLevel(absl::GetFlag(FLAGS_log_level));
  flags.report.Note("--log_level", level.status());
  flags.log_level = level.value_or(LogLevel::kInfo);
  if (const std::string path = absl::GetFlag(FLAGS_token_file); !path.empty()) {
    absl::StatusOr<crypto::SecretString> token = ReadSecretFile(path);
    flags.report.Note("--token_file", token.status());
    if (token.ok()) flags.token = *std::move(token);
  }
  return flags;
}

void NoteMissingToken(const ServiceFlags& flags, absl::string_view role, settings::ConfigReport& report) {
  if (!absl::GetFlag(FLAGS_token_file).empty() || !flags.token.empty()) return;
  report.Note("--token_file",
              absl::InvalidArgumentError(absl::StrCat("is required: a file with an API token of the role ", role)));
}

int FailToRead(const Logger& logger, const absl::Status& status) {
  if (!absl::GetFlag(FLAGS_check_config)) return FailToStart(logger, status);
  settings::ConfigReport report;
  report.Note("", status);
  return report.Print();
}

absl::StatusOr<std::unique_ptr<metrics::Exposer>> StartExposer(const ServiceFlags& flags,
                                                               const metrics::Registry& registry) {
  if (flags.metrics_listen.empty()) return std::unique_ptr<metrics::Exposer>();
  return metrics::Exposer::Start(flags.metrics_listen, registry);
}

}  // namespace davit::rpc
