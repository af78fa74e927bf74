// Implements housekeeping.h.
#include "services/scheduler/housekeeping.h"

#include <algorithm>
#include <utility>

namespace davit::scheduler {
namespace {

// The queue is measured every so many rounds of Reap.
constexpr int kRoundsPerMeasure = 5;

constexpr int kRevocationBatch = 20;
constexpr absl::Duration kRevocationHold = absl::Seconds(60);
constexpr absl::Duration kMaxRevocationDelay = absl::Minutes(5);

}  // namespace

Housekeeping::Housekeeping(HousekeepingDeps deps)
    : deps_(std::move(deps)),
      expired_(deps_.metrics.GetCounter("davit_scheduler_leases_expired_total",
                                        "Attempts that were ended because their lease or their time was over.")),
      corrected_(deps_.metrics.GetCounter("davit_scheduler_lanes_corrected_total",
                                          "Lanes whose counters differed from the queue.")) {}

Loop::Again Housekeeping::Reap() {
  bool more = false;
  const absl::StatusOr<std::vector<EndedAttempt>> dead = deps_.leases.ReapDead();
  if (!dead.ok()) {
    deps_.logger.Warning("failed to reap leases", {{"error", dead.status()}});
  } else if (!dead->empty()) {
    more = true;
    expired_.Increment(static_cast<double>(dead->size()));
    for (const EndedAttempt& attempt : *dead) {
      deps_.logger.Warning("a lease has ended without its agent",
                           {{"build", attempt.build_id}, {"state", BuildStateName(attempt.state)}});
    }
    deps_.attempts_ended(*dead);
  }
  const absl::StatusOr<int> promoted = deps_.queue.PromoteDue();
  if (!promoted.ok()) {
    deps_.logger.Warning("failed to queue delayed builds", {{"error", promoted.status()}});
  } else if (*promoted > 0) {
    more = true;
    deps_.builds_queued();
  }
  if (rounds_++ % kRoundsPerMeasure == 0) Measure();
  return more ? Loop::Again::kNow : Loop::Again::kLater;
}

void Housekeeping::Measure() {
  const absl::StatusOr<std::vector<PoolDepth>> depths = deps_.queue.Depths();
  if (!depths.ok()) return;  // Whatever is wrong has been logged by those who work on it.
  for (const PoolDepth& depth : *depths) {
    const metrics::Labels labels = {{"pool", depth.pool}};
    deps_.metrics.GetGauge("davit_scheduler_queued_builds", "Builds that may be claimed.", labels)
        .Set(static_cast<double>(depth.queued));
    deps_.metrics.GetGauge("davit_scheduler_running_builds", "Builds that agents hold.", labels)
        .Set(static_cast<double>(depth.running));
    deps_.metrics
        .GetGauge("davit_scheduler_oldest_wait_seconds", "How long the first build of some project has waited.", labels)
        .Set(absl::ToDoubleSeconds(depth.oldest_wait));
  }
}

Loop::Again Housekeeping::Revoke() {
  const absl::StatusOr<std::vector<Revocation>> due = deps_.revocations.Take(kRevocationBatch, kRevocationHold);
  if (!due.ok()) {
    deps_.logger.Warning("failed to look for revocations", {{"error", due.status()}});
    return Loop::Again::kLater;
  }
  for (const Revocation& revocation : *due) {
    const absl::Status revoked = deps_.token_registry.Revoke(revocation.project, revocation.build_id, revocation.fence);
    absl::Status settled;
    // A grant that never was needs no end.
    if (revoked.ok() || absl::IsNotFound(revoked)) {
      settled = deps_.revocations.Finish(revocation);
    } else {
      const absl::Duration delay = std::min(absl::Seconds(2) * revocation.attempts, kMaxRevocationDelay);
      deps_.logger.Warning("failed to revoke a grant", {{"build", revocation.build_id}, {"error", revoked}});
      settled = deps_.revocations.Postpone(revocation, delay);
    }
    if (!settled.ok()) deps_.logger.Warning("failed to settle a revocation", {{"error", settled}});
  }
  return due->size() == kRevocationBatch ? Loop::Again::kNow : Loop::Again::kLater;
}

Loop::Again Housekeeping::Tidy() {
  const absl::StatusOr<int> corrected = deps_.queue.ReconcileLanes();
  if (!corrected.ok()) {
    deps_.logger.Warning("failed to reconcile lanes", {{"error", corrected.status()}});
  } else if (*corrected > 0) {
    corrected_.Increment(*corrected);
    deps_.logger.Error("lane counters were wrong and have been set right", {{"lanes", *corrected}});
    deps_.builds_queued();
  }
  const absl::StatusOr<int> deleted = deps_.uploads.DeleteOld(deps_.upload_retention);
  if (!deleted.ok()) deps_.logger.Warning("failed to delete old uploads", {{"error", deleted.status()}});
  const absl::StatusOr<int> told = deps_.commit_statuses.DeleteOld(deps_.commit_status_retention);
  if (!told.ok()) deps_.logger.Warning("failed to delete old commit statuses", {{"error", told.status()}});
  const absl::Status forgotten = deps_.leases.ForgetSessions();
  if (!forgotten.ok()) deps_.logger.Warning("failed to forget sessions", {{"error", forgotten}});
  return Loop::Again::kLater;
}

}  // namespace davit::scheduler
