// Says why a build failed and whose fault it is. Pure functions; usable from any thread.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "davit/scheduler/v1/build.pb.h"
#include "services/builder_agent/build_log.h"

namespace davit::builder_agent {

// The failure behind an error of anything but the builder, by its code: what the user's source, Dockerfile or
// credentials cause is USER, the rest INFRASTRUCTURE. The message is the status's.
scheduler::v1::Failure FailureOf(const absl::Status& status);

// The failure behind an error of Builder::Build: BuildKit's words are turned into what a user can act on, such as `step
// 2 exited 42` or `image not found: X`. `step` is where the build failed, if one of its steps did.
scheduler::v1::Failure BuildFailure(const absl::Status& status, const std::optional<FailedStep>& step);

// The failure of a build that took longer than it may.
scheduler::v1::Failure TimeoutFailure(absl::Duration limit);

}  // namespace davit::builder_agent
