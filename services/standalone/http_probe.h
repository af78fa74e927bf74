// Asks a local server for a page, only to learn whether it serves. Owns nothing; usable from any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace davit::standalone {

// The status code of `GET path` over the unix socket `socket_path`. UNAVAILABLE when nobody answers within a second.
absl::StatusOr<int> ProbeUnix(const std::string& socket_path, const std::string& path);

// The same over TCP to `address`, an IPv4 address with a port.
absl::StatusOr<int> ProbeTcp(const std::string& address, const std::string& path);

}  // namespace davit::standalone
