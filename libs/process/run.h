// Runs a command to its end and returns what it printed. Owns nothing; usable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/process/process.h"

namespace davit::process {

// What a finished command left behind. Each stream is kept up to its first 1 MiB.
struct Completed {
  ExitStatus status;
  std::string stdout_text;
  std::string stderr_text;
};

// Runs `options.argv` (its stdout_to and stderr_to are replaced) and waits. DEADLINE_EXCEEDED after `timeout`, the
// process group is killed then. A non-zero exit is not an error here.
absl::StatusOr<Completed> Run(SpawnOptions options, absl::Duration timeout);

// The same, but a non-zero exit is INTERNAL with the program's name, how it ended and the end of what it wrote to
// stderr. Returns stdout. Not for commands whose stderr may carry a secret.
absl::StatusOr<std::string> RunOrFail(SpawnOptions options, absl::Duration timeout);

}  // namespace davit::process
