// Implements hook_releaser.h.
#include "services/rule_engine/hook_releaser.h"

#include <algorithm>
#include <optional>
#include <string>

#include "libs/status/status_macros.h"

namespace davit::rule_engine {

absl::Duration HookReleaser::DelayAfter(int failures) {
  constexpr int kMostDoublings = 9;  // 10 s · 2⁹ is over an hour.
  return std::min(absl::Hours(1), absl::Seconds(10) * (1 << std::clamp(failures, 0, kMostDoublings)));
}

absl::StatusOr<bool> HookReleaser::Step() {
  DAVIT_ASSIGN_OR_RETURN(const std::optional<HookRelease> release, releases_.Claim(kClaim));
  if (!release) return false;
  absl::Status removed;
  if (!release->has_rules) {
    removed = remover_.RemoveHook(release->project, release->connection_id, release->repository);
  }
  const Logger logger = logger_.With(
      {{"project", release->project}, {"connection", release->connection_id}, {"repository", release->repository}});
  if (absl::IsUnavailable(removed) || absl::IsDeadlineExceeded(removed)) {
    const absl::Duration delay = DelayAfter(release->failures);
    logger.Warning("failed to remove a webhook whose last rule is gone; trying again later", {{"error", removed}});
    DAVIT_RETURN_IF_ERROR(releases_.Postpone(*release, std::string(removed.message()), delay));
    return true;
  }
  if (!removed.ok()) {
    logger.Warning("a webhook whose last rule is gone stays at its provider, which refuses to remove it",
                   {{"error", removed}});
  }
  DAVIT_RETURN_IF_ERROR(releases_.Finish(*release));
  return true;
}

}  // namespace davit::rule_engine
