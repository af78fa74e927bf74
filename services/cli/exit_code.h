// The exit codes of `davit`, as its help documents them. Owns nothing.
#pragma once

#include "absl/status/status.h"

namespace davit::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitBuildFailed = 1;
inline constexpr int kExitBadConfig = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitServer = 3;
inline constexpr int kExitNotFound = 4;
inline constexpr int kExitDenied = 5;
inline constexpr int kExitUnavailable = 6;

// The exit code that an error gives.
int ExitCodeOf(const absl::Status& status);

}  // namespace davit::cli
