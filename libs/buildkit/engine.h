// The few calls of a Docker engine's HTTP API that pushing needs. Thread-safe.
#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/buildkit/builder.h"
#include "libs/http/client.h"

namespace davit::buildkit {

// A client of one engine's API socket.
class Engine {
 public:
  // `socket_path` is the API's unix socket.
  explicit Engine(std::string socket_path);

  // Whether the engine answers.
  absl::Status Ping();

  // Pushes an image of the engine's store under its own name and returns the manifest's digest. `account` may be null.
  // Ends with CANCELLED soon after `cancelled` becomes true. UNAUTHENTICATED, PERMISSION_DENIED: the registry refused;
  // UNAVAILABLE: engine or registry failed.
  absl::StatusOr<std::string> Push(const std::string& image, const RegistryAccount* account,
                                   const std::atomic<bool>& cancelled);

  // Takes a name from the engine's store, and the image when it was the last name. BuildKit's cache keeps the layers
  // that it needs. An image that is not there is no error.
  absl::Status Remove(const std::string& image);

 private:
  http::Request MakeRequest(const char* method, const std::string& path) const;

  const std::string socket_path_;
  http::Client client_;
};

// Reads the stream of JSON objects that the engine answers a push with. Fed in pieces; single-threaded.
class PushProgress {
 public:
  // Takes the next bytes.
  void Feed(absl::string_view data);

  // After the end: the manifest's digest, or the error that the stream told.
  absl::StatusOr<std::string> Result() const;

 private:
  void Read(absl::string_view line);

  std::string partial_;
  std::string digest_;
  std::string error_;
};

}  // namespace davit::buildkit
