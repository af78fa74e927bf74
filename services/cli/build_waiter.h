// Waits for a build to end and says how, for --wait. Runs on the caller's thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "davit/scheduler/v1/build.pb.h"
#include "services/cli/session.h"

namespace davit::cli {

// Follows the build until it has ended: its states go to standard error, its log to standard output (to standard error
// with -o json, where standard output holds one document: the build). Returns kExitOk or kExitBuildFailed.
absl::StatusOr<int> WaitForBuild(Session& session, const std::string& build_id);

// A build for people, with attempts when they are there.
std::string BuildText(const davit::scheduler::v1::Build& build);

// Its state and, while it runs, its phase: "running (fetching)".
std::string BuildStateText(const davit::scheduler::v1::Build& build);

// Whether it will not change any more.
bool HasEnded(const davit::scheduler::v1::Build& build);

}  // namespace davit::cli
