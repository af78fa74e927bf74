// The rules of sessions, leases and fences. Pure; usable from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace davit::scheduler {

// What a call of an agent's session means.
enum class SessionVerdict {
  kContinue,    // it is the agent's session
  kBegin,       // the agent's first
  kReplace,     // a newer process of the agent: the older session and its leases end
  kSuperseded,  // an older process: it must stop everything
};

// Whether the request said that its session begins (it says so until its first answer).
enum class SessionStart { kContinues, kStarts };

// Decides. `current` is the agent's session so far (empty = none), `was_replaced` whether `presented` was one that has
// been replaced. A session that does not say it starts, and is not the current one, has been forgotten and counts as
// replaced.
SessionVerdict DecideSession(absl::string_view current, absl::string_view presented, SessionStart start,
                             bool was_replaced);

// FAILED_PRECONDITION "session superseded": what the older process is told.
absl::Status SessionSuperseded();

// FAILED_PRECONDITION for a stale holder: "lease superseded by fence F" when a later attempt has a larger fence
// (`newest` is that of the build's last attempt), else "lease has ended".
absl::Status StaleLease(int64_t presented, int64_t newest);

}  // namespace davit::scheduler
