// A Docker engine and a registry of a test's own, and a base image in it. For one thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/buildkit/builder.h"
#include "libs/process/process.h"

namespace davit::buildkit {

// Starts dockerd and docker-registry on 127.0.0.1 in a temporary directory, and stops and removes everything when it is
// destroyed. The registry wants a password. RUN steps must use the host's network: the engine has no bridge. Needs
// root.
class PrivateEngine {
 public:
  // UNAVAILABLE when something does not start within a minute.
  static absl::StatusOr<std::unique_ptr<PrivateEngine>> Start();
  ~PrivateEngine();
  PrivateEngine(const PrivateEngine&) = delete;
  PrivateEngine& operator=(const PrivateEngine&) = delete;

  // The API's socket.
  std::string socket() const { return directory_ + "/docker.sock"; }
  // A path for a socket of the test's.
  std::string other_socket() const { return directory_ + "/front.sock"; }
  // host:port of the registry.
  const std::string& registry() const { return registry_; }
  // The account that the registry accepts.
  RegistryAccount account() const;
  // An image with busybox as sh, sleep, echo, cat and true, in the registry.
  std::string base_image() const { return registry_ + "/base/busybox:1"; }
  // What GET of an API path answers.
  absl::StatusOr<std::string> Get(const std::string& path) const;

 private:
  PrivateEngine() = default;

  absl::Status StartRegistry();
  absl::Status StartEngine();
  absl::Status PushBaseImage();

  std::string directory_;
  std::string registry_;
  std::unique_ptr<process::Process> registry_process_;
  std::unique_ptr<process::Process> engine_process_;
};

}  // namespace davit::buildkit
