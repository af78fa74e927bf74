// Where a BuildKit listens. Values only; usable from any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::buildkit {

// One BuildKit endpoint.
struct Address {
  // How the endpoint is spoken to.
  enum class Kind {
    kDockerEngine,  // The BuildKit inside a Docker engine, through the engine's API socket.
    kUnixSocket,    // A stand-alone buildkitd on a unix socket.
    kTcp,           // A stand-alone buildkitd at host:port.
  };

  Kind kind = Kind::kUnixSocket;
  // The socket's path, or host:port for kTcp.
  std::string location;

  // Reads "docker-engine:///run/docker.sock", "unix:///run/buildkit/buildkitd.sock" or "tcp://host:port";
  // INVALID_ARGUMENT names what is accepted.
  static absl::StatusOr<Address> Parse(absl::string_view text);

  // The text that Parse reads.
  std::string ToString() const;

  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace davit::buildkit
