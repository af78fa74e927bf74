// A program that davit-standalone runs for its user: PostgreSQL, a registry, a Docker engine. The supervisor drives it,
// always from the same thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/process/process.h"

namespace davit::standalone {

// What an engine is, as far as supervising goes. The supervisor owns the running process; an engine owns its files.
class Engine {
 public:
  virtual ~Engine() = default;

  // For people and for file names: "postgres", "registry", "docker".
  virtual std::string name() const = 0;

  // Makes directories and configuration. Called before every start, after CleanUp; must be repeatable.
  virtual absl::Status Prepare() = 0;

  // Starts the program. It must follow the calling thread's end (parent_death_signal).
  virtual absl::StatusOr<std::unique_ptr<process::Process>> Start() = 0;

  // OK when the program serves. Must answer within a second.
  virtual absl::Status Probe() = 0;

  // The signal that asks the program to end in order, and how long it may take.
  virtual int stop_signal() const = 0;
  virtual absl::Duration stop_grace() const = 0;

  // How long the program may take from its start until Probe succeeds.
  virtual absl::Duration start_deadline() const = 0;

  // Removes what the program leaves behind when it is killed, and what it needs only while it runs. Called before the
  // first start and after every end.
  virtual absl::Status CleanUp() = 0;

  // Where it writes its log; its last lines explain a failed start.
  virtual std::string log_path() const = 0;
};

}  // namespace davit::standalone
