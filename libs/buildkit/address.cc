// Reads and writes BuildKit addresses. No state.
#include "libs/buildkit/address.h"

#include <sys/un.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace davit::buildkit {
namespace {

absl::Status Refused(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("BuildKit address \"", text, "\": ", why,
                   "; write docker-engine:///path/to/docker.sock, unix:///path/to/buildkitd.sock "
                   "or tcp://host:port"));
}

absl::StatusOr<Address> SocketAddress(Address::Kind kind, absl::string_view text, absl::string_view path) {
  if (!absl::StartsWith(path, "/")) return Refused(text, "the socket's path is not absolute");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return Refused(text, "the socket's path is over 107 bytes");
  return Address{kind, std::string(path)};
}

}  // namespace

absl::StatusOr<Address> Address::Parse(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "docker-engine://")) return SocketAddress(Kind::kDockerEngine, text, rest);
  if (absl::ConsumePrefix(&rest, "unix://")) return SocketAddress(Kind::kUnixSocket, text, rest);
  if (absl::ConsumePrefix(&rest, "tcp://")) {
    const size_t colon = rest.rfind(':');
    uint32_t port = 0;
    if (colon == absl::string_view::npos || colon == 0) return Refused(text, "the port is missing");
    if (!absl::SimpleAtoi(rest.substr(colon + 1), &port) || port == 0 || port > 65535) {
      return Refused(text, "the port is not a number from 1 to 65535");
    }
    return Address{Kind::kTcp, std::string(rest)};
  }
  return Refused(text, "unknown scheme");
}

std::string Address::ToString() const {
  switch (kind) {
    case Kind::kDockerEngine:
      return absl::StrCat("docker-engine://", location);
    case Kind::kUnixSocket:
      return absl::StrCat("unix://", location);
    case Kind::kTcp:
      break;
  }
  return absl::StrCat("tcp://", location);
}

}  // namespace davit::buildkit
