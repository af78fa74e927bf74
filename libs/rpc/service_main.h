// What every main.cc does around its service: wait for a signal, drain, end.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/crypto/secret.h"
#include "libs/logging/logger.h"

namespace davit::rpc {

// Turns the first SIGTERM or SIGINT into an event and lets the second end the process at once (exit code 130).
// Construct one, first thing in main. SIGPIPE is ignored from then on. Signal masks are not touched, so child processes
// start clean.
class ShutdownSignal {
 public:
  ShutdownSignal();
  ~ShutdownSignal();
  ShutdownSignal(const ShutdownSignal&) = delete;
  ShutdownSignal& operator=(const ShutdownSignal&) = delete;

  // Blocks until a signal has come; any number of threads may wait.
  void Wait();

  // Waits at most `timeout`; returns whether a signal has come.
  bool WaitFor(absl::Duration timeout);

  // Does what a signal does.
  static void Trigger();
};

// Waits for the signal, then calls `drain` with the time by which everything must have ended, and logs both. Returns
// main's exit code.
int ServeUntilSignal(ShutdownSignal& signal, absl::Duration drain_timeout, const Logger& logger,
                     const std::function<void(absl::Time deadline)>& drain);

// Reads a token or password from a file: its text without surrounding white space. NOT_FOUND, PERMISSION_DENIED or
// INVALID_ARGUMENT (empty, or over 64 KiB) with the path.
absl::StatusOr<crypto::SecretString> ReadSecretFile(const std::string& path);

// Logs why the program cannot start and returns main's exit code, 1.
int FailToStart(const Logger& logger, const absl::Status& status);

}  // namespace davit::rpc
