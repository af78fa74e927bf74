// Removes what a killed predecessor (or a killed engine) left behind: processes, control groups, mounts. Nothing is
// ever found by a program's name: processes by their pid record or their control group, mounts by their path. Usable
// from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::standalone {

// Ends the process that the record at `record_path` names, if it still runs and one of its arguments begins with
// `data_dir`: with `signal`, after `grace` with SIGKILL. Removes the record. OK when there is nothing to end;
// DEADLINE_EXCEEDED when it does not go.
absl::Status EndRecordedProcess(const std::string& record_path, absl::string_view data_dir, int signal,
                                absl::Duration grace);

// Ends the process that the first line of `pid_file` names, as a daemon writes it for itself, likewise. Removes the
// file: a daemon that finds it there may take an ended process that nobody has waited for yet (a zombie) for a living
// one.
absl::Status EndProcessOfPidFile(const std::string& pid_file, absl::string_view data_dir, int signal,
                                 absl::Duration grace);

// Waits until the process that the first line of `pid_file` names is no zombie: until its new parent has taken notice
// of its end. DEADLINE_EXCEEDED after `limit`.
absl::Status WaitUntilReaped(const std::string& pid_file, absl::Duration limit);

// Kills every process in the control group `name` (directly below the root of each hierarchy) and below it, and removes
// the groups.
absl::Status RemoveControlGroup(absl::string_view name);

// Unmounts everything that is mounted at `directory` or below it.
absl::Status UnmountBelow(absl::string_view directory);

}  // namespace davit::standalone
