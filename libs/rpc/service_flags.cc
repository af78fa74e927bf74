// Implements service_flags.h. The flags are process-wide and are read once, on main's thread.
#include "libs/rpc/service_flags.h"

#include <cstdlib>
#include <mutex>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/rpc/service_main.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

ABSL_FLAG(std::optional<std::string>, listen, std::nullopt,
          "Comma-separated addresses to serve gRPC on: host:port, [::]:port or unix:/path.");
ABSL_FLAG(
    std::string, token_file, "",
    "File with this service's own API token, for its calls to other services. Default: the file that the environment "
    "variable DAVIT_TOKEN_FILE names.");
ABSL_FLAG(std::string, log_level, "info", "Least level to log: debug, info, warning or error.");
ABSL_FLAG(std::string, metrics_listen, "", "host:port to serve Prometheus metrics on, at /metrics; empty = nowhere.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(20),
          "How long open calls may go on after SIGTERM or SIGINT before they are cancelled.");

namespace davit::rpc {
namespace {

absl::StatusOr<crypto::SecretString> ReadOwnToken() {
  std::string path = absl::GetFlag(FLAGS_token_file);
  if (path.empty()) {
    const char* from_environment = std::getenv("DAVIT_TOKEN_FILE");
    if (from_environment == nullptr || *from_environment == '\0') return crypto::SecretString();
    path = from_environment;
  }
  absl::StatusOr<crypto::SecretString> token = ReadSecretFile(path);
  if (!token.ok()) return Annotate(token.status(), "--token_file");
  return token;
}

}  // namespace

absl::StatusOr<ServiceFlags> ParseServiceFlags(int argc, char** argv, absl::string_view usage,
                                               absl::string_view default_listen) {
  static std::once_flag once;
  std::call_once(once, [usage] {
    absl::SetProgramUsageMessage(usage);
    // Abseil's --help lists the flags of a file that is called like the program; ours are those of main.cc and of
    // libs/rpc.
    absl::FlagsUsageConfig config;
    config.contains_help_flags = [](absl::string_view file) {
      return absl::StrContains(file, "services/") || absl::StrContains(file, "libs/rpc/");
    };
    absl::SetFlagsUsageConfig(config);
  });
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("unexpected argument \"", rest[1], "\": this program takes flags only, see --help"));
  }
  ServiceFlags flags;
  flags.listen =
      absl::StrSplit(absl::GetFlag(FLAGS_listen).value_or(std::string(default_listen)), ',', absl::SkipEmpty());
  flags.metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  flags.drain_timeout = absl::GetFlag(FLAGS_drain_timeout);
  absl::StatusOr<LogLevel> level = ParseLogLevel(absl::GetFlag(FLAGS_log_level));
  if (!level.ok()) return Annotate(level.status(), "--log_level");
  flags.log_level = *level;
  DAVIT_ASSIGN_OR_RETURN(flags.token, ReadOwnToken());
  return flags;
}

absl::StatusOr<std::unique_ptr<metrics::Exposer>> StartExposer(const ServiceFlags& flags,
                                                               const metrics::Registry& registry) {
  if (flags.metrics_listen.empty()) return std::unique_ptr<metrics::Exposer>();
  return metrics::Exposer::Start(flags.metrics_listen, registry);
}

}  // namespace davit::rpc
