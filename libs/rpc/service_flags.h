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

namespace davit::rpc {

// The values of --listen, --token_file, --log_level, --metrics_listen and --drain_timeout.
struct ServiceFlags {
  // gRPC addresses, comma-separated in the flag.
  std::vector<std::string> listen;

  // The service's own API token, from --token_file (or DAVIT_TOKEN_FILE); empty when neither is given.
  crypto::SecretString token;

  LogLevel log_level = LogLevel::kInfo;

  // Where metrics are served; empty = nowhere.
  std::string metrics_listen;

  absl::Duration drain_timeout;
};

// Parses the command line (these flags and those that the main.cc defines itself) and reads the token file. `usage` is
// what
// --help shows. Ends the process for --help and for unknown flags, as Abseil does. INVALID_ARGUMENT names the flag.
absl::StatusOr<ServiceFlags> ParseServiceFlags(int argc, char** argv, absl::string_view usage,
                                               absl::string_view default_listen);

// Serves `registry` where the flags say; null when they name no address.
absl::StatusOr<std::unique_ptr<metrics::Exposer>> StartExposer(const ServiceFlags& flags,
                                                               const metrics::Registry& registry);

}  // namespace davit::rpc
