// Implements lease_rules.h.
#include "services/scheduler/domain/lease_rules.h"

#include "absl/strings/str_cat.h"

namespace davit::scheduler {

SessionVerdict DecideSession(absl::string_view current, absl::string_view presented, SessionStart start,
                             bool was_replaced) {
  if (presented == current) return SessionVerdict::kContinue;
  if (was_replaced || start == SessionStart::kContinues) return SessionVerdict::kSuperseded;
  return current.empty() ? SessionVerdict::kBegin : SessionVerdict::kReplace;
}

absl::Status SessionSuperseded() { return absl::FailedPreconditionError("session superseded"); }

absl::Status StaleLease(int64_t presented, int64_t newest) {
  if (newest > presented) return absl::FailedPreconditionError(absl::StrCat("lease superseded by fence ", newest));
  return absl::FailedPreconditionError("lease has ended");
}

}  // namespace davit::scheduler
