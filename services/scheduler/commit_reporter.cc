// Implements commit_reporter.h.
#include "services/scheduler/commit_reporter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace davit::scheduler {
namespace {

// CommitState of davit.registry.v1.
enum CommitState { kPending = 1, kRunning = 2, kSuccess = 3, kFailure = 4, kError = 5, kCancelled = 6 };

constexpr size_t kDigestDigits = 19;  // "sha256:" and 12 digits.

struct Wording {
  CommitState state;
  const char* text;
};

// Statuses of public repositories are public: they say how a build ended, not why.
Wording WordingOf(const CommitMark& mark) {
  switch (mark.state) {
    case BuildState::kQueued:
      return {kPending, "waits for an agent"};
    case BuildState::kHeld:
      return {kPending, "waits for an approval"};
    case BuildState::kRunning:
      return {kRunning, "is running"};
    case BuildState::kPublishing:
      return {kRunning, "sets its tags"};
    case BuildState::kSucceeded:
      return {kSuccess, "succeeded"};
    case BuildState::kSuperseded:
      // Without an image it was never built: a newer build of its group took its place.
      if (mark.digest.empty()) return {kCancelled, "was superseded by a newer build"};
      return {kSuccess, "succeeded; newer builds have its tags"};
    case BuildState::kFailed:
      return {kFailure, "failed"};
    case BuildState::kTimedOut:
      return {kError, "took too long"};
    case BuildState::kCancelled:
      return {kCancelled, "was cancelled"};
  }
  return {kError, "is in an unknown state"};
}

std::string WithoutSlash(absl::string_view url) {
  while (absl::ConsumeSuffix(&url, "/")) {
  }
  return std::string(url);
}

}  // namespace

CommitReporter::CommitReporter(CommitStatusStore& store, Tell tell, Changed changed, const std::string& public_url,
                               Logger logger, metrics::Registry& metrics)
    : store_(store),
      tell_(std::move(tell)),
      changed_(std::move(changed)),
      public_url_(WithoutSlash(public_url)),
      logger_(std::move(logger)),
      told_(metrics.GetCounter("davit_scheduler_commit_statuses_total", "Commit statuses by what came of them.",
                               {{"outcome", "told"}})),
      refused_(metrics.GetCounter("davit_scheduler_commit_statuses_total", "Commit statuses by what came of them.",
                                  {{"outcome", "given_up"}})),
      postponed_(metrics.GetCounter("davit_scheduler_commit_statuses_total", "Commit statuses by what came of them.",
                                    {{"outcome", "postponed"}})) {}

Loop::Again CommitReporter::ReportNext() {
  const absl::StatusOr<std::optional<CommitMark>> mark = store_.Take(kHold);
  if (!mark.ok()) {
    logger_.Warning("failed to look for commit statuses", {{"error", mark.status()}});
    return Loop::Again::kLater;
  }
  if (!mark->has_value()) return Loop::Again::kLater;
  const absl::Status settled = Settle(**mark, tell_(ReportOf(**mark)));
  if (!settled.ok()) logger_.Warning("failed to settle a commit status", {{"error", settled}});
  return Loop::Again::kNow;
}

CommitReport CommitReporter::ReportOf(const CommitMark& mark) const {
  const Wording wording = WordingOf(mark);
  CommitReport report;
  report.project = mark.project;
  report.connection_id = mark.connection_id;
  report.repository = mark.repository;
  report.commit = mark.commit;
  report.ref = mark.ref;
  report.context = mark.context;
  report.state = wording.state;
  report.description = absl::StrCat(mark.build_id, " ", wording.text);
  if (wording.state == kSuccess && !mark.digest.empty()) {
    absl::StrAppend(&report.description, ": ", mark.digest.substr(0, kDigestDigits));
  }
  if (!public_url_.empty()) report.target_url = absl::StrCat(public_url_, "/builds/", mark.build_id);
  report.build_id = mark.build_id;
  return report;
}

absl::Status CommitReporter::GiveUp(const CommitMark& mark, const std::string& why) {
  refused_.Increment();
  logger_.Warning("a commit's status was given up", {{"build", mark.build_id}, {"reason", why}});
  const absl::Status finished = store_.Finish(mark, absl::StrCat("commit status not set: ", why));
  if (finished.ok()) changed_(mark.build_id);
  return finished;
}

absl::Status CommitReporter::Settle(const CommitMark& mark, const absl::StatusOr<ReportAnswer>& answer) {
  if (answer.ok() && (answer->outcome == ReportOutcome::kSet || answer->outcome == ReportOutcome::kNotSupported)) {
    told_.Increment();
    return store_.Finish(mark, "");
  }
  if (answer.ok() && answer->outcome == ReportOutcome::kRefused) return GiveUp(mark, answer->reason);
  const std::string why = answer.ok() ? answer->reason : std::string(answer.status().message());
  // The connection is gone, or what is asked for can never be told.
  if (absl::IsNotFound(answer.status()) || absl::IsInvalidArgument(answer.status())) return GiveUp(mark, why);
  if (mark.age > kGiveUpAfter) return GiveUp(mark, why);
  postponed_.Increment();
  if (answer.ok()) return store_.PostponeConnection(mark, std::max(answer->retry_after, absl::Seconds(1)));
  logger_.Warning("failed to set a commit's status; trying again later",
                  {{"build", mark.build_id}, {"error", answer.status()}});
  // The call may still be under way; until the hold is over nothing newer may overtake it.
  if (absl::IsDeadlineExceeded(answer.status())) return absl::OkStatus();
  const absl::Duration delay = std::min(absl::Seconds(2) * (int64_t{1} << std::min(mark.attempts, 10)), kMaxDelay);
  return store_.Postpone(mark, delay);
}

}  // namespace davit::scheduler
