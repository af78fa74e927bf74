// Adds to a status what a layer was doing when it happened. Owns nothing; usable from any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace davit {

// Returns `status` with `doing` in front of its message ("Failed to claim builds: …"), keeping its code and its
// payloads. OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view doing);

}  // namespace davit
