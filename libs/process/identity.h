// Recognises a process again later, even across restarts of this program: a pid alone is re-used, a pid with its start
// time is not. Owns nothing; usable from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::process {

// What the kernel says about one process.
struct Identity {
  pid_t pid = 0;
  pid_t parent = 0;
  uint64_t start_ticks = 0;  // Clock ticks after boot (field 22 of /proc/PID/stat).
  char state = '?';          // 'Z' is a zombie.
  std::vector<std::string> argv;
};

// Reads /proc/PID. NOT_FOUND when there is no such process.
absl::StatusOr<Identity> Identify(pid_t pid);

// All processes that can be read now.
std::vector<Identity> AllProcesses();

// "PID START_TICKS BOOT_ID", for a pid file.
absl::StatusOr<std::string> FormatPidRecord(pid_t pid);

// The process that `record` (of FormatPidRecord) names, if it still runs in this boot with the same start time and is
// no zombie; NOT_FOUND otherwise, INVALID_ARGUMENT when the record cannot be read.
absl::StatusOr<Identity> FindByPidRecord(absl::string_view record);

}  // namespace davit::process
