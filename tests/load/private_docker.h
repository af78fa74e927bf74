// A private Docker engine on tmpfs for load figures: its own socket and storage, no bridge. Needs root. It stops with
// the object, or with the thread that made it. Belongs to one thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/process.h"

namespace davit::load {

class PrivateDocker {
 public:
  // Starts the engine below `directory`, which must be on a file system that overlayfs can use, and waits until it
  // answers.
  static absl::StatusOr<std::unique_ptr<PrivateDocker>> Start(const std::string& directory);
  ~PrivateDocker();

  // The path of its API socket.
  std::string socket_path() const { return directory_ + "/docker.sock"; }

 private:
  explicit PrivateDocker(std::string directory) : directory_(std::move(directory)) {}
  absl::Status Launch();

  const std::string directory_;
  std::unique_ptr<process::Process> process_;
};

}  // namespace davit::load
