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

// Kills every process in the control group `name` (directly below the root of each hierarchy) and below it, and removes
// the groups.
absl::Status RemoveControlGroup(absl::string_view name);

// Unmounts everything that is mounted at `directory` or below it.
absl::Status UnmountBelow(absl::string_view directory);

}  // namespace davit::standalone
