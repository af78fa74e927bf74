// The command-line flags that every service has. Only main.cc files include this: nothing else reads flags.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/crypto/secret.h"
#include "libs/logging/logger.h"
#include "libs/metrics/exposer.h"
#include "libs/metrics/metrics.h"
#include "libs/settings/config_report.h"

namespace davit::rpc {

// The values of --listen, --token_file, --log_level, --metrics_listen, --drain_timeout and --check_config.
struct ServiceFlags {
  // Addresses to serve on, comma-separated in the flag.
  std::vector<std::string> listen;

  // The service's own API token, from --token_file; empty when none is given.
  crypto::SecretString token;

  LogLevel log_level = LogLevel::kInfo;

  // Where metrics are served; empty = nowhere.
  std::string metrics_listen;

  absl::Duration drain_timeout;

  // Whether the program shall say what is wrong with its configuration, and end.
  bool check_config = false;

  // What is wrong with the values above; main adds what is wrong with its own flags.
  settings::ConfigReport report;
};

// Reads these flags and those that the main.cc defines itself from the command line, the environment and the
// configuration file (settings/flag_sources.h), and the token file. `usage` is what --help shows. Ends the process for
// --help and for unknown flags of the command line. INVALID_ARGUMENT: the flags cannot be read; values that can be read
// and are wrong are in the report.
absl::StatusOr<ServiceFlags> ParseServiceFlags(int argc, char** argv, absl::string_view usage,
                                               absl::string_view default_listen);

// Notes in `report` that there is no --token_file, for services that call others as themselves: with a token of `role`.
void NoteMissingToken(const ServiceFlags& flags, absl::string_view role, settings::ConfigReport& report);

// What main does with flags that cannot be read: says so, on standard output for --check_config, and returns the exit
// code.
int FailToRead(const Logger& logger, const absl::Status& status);

// Serves `registry` where the flags say; null when they name no address.
absl::StatusOr<std::unique_ptr<metrics::Exposer>> StartExposer(const ServiceFlags& flags,
                                                               const metrics::Registry& registry);

}  // namespace davit::rpc
