// Implements transitions.h.
#include "services/scheduler/store/transitions.h"

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/rows.h"
#include "services/scheduler/store/sharing.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::ReadText;
using ::davit::postgres::Transaction;

// What the history says of an attempt's end.
std::string DetailOf(const LockedBuild& build, const AttemptReport& report, const NextStep& step) {
  const std::string reason = report.message.empty() ? "" : absl::StrCat(": ", report.message);
  if (step.state == BuildState::kQueued) {
    return absl::StrCat(step.counts_as_failure ? "tried again after" : "given back", reason);
  }
  if (step.state == BuildState::kSuperseded) return absl::StrCat("superseded by ", build.superseded_by);
  return report.message;
}

absl::Status QueueAgain(Transaction& transaction, const LockedBuild& build, const AttemptReport& report,
                        const NextStep& step, const EndingRules& rules) {
  Advance advance;
  advance.state = BuildState::kQueued;
  advance.counts_as_failure = step.counts_as_failure;
  advance.detail = DetailOf(build, report, step);
  if (step.delay > absl::ZeroDuration()) {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result delayed,
                           transaction.Execute(queries::kDelayBuild, build.id, build.pool, build.project,
                                               build.priority, build.sequence, step.delay));
    advance.not_before = postgres::ReadTime(delayed[0][0]);
  } else {
    DAVIT_RETURN_IF_ERROR(Enqueue(transaction, build.pool, build.project, build.priority, build.sequence, build.id,
                                  rules.default_max_running));
  }
  return AdvanceBuild(transaction, build, advance);
}

absl::Status Publish(Transaction& transaction, const LockedBuild& build, const AttemptReport& report) {
  std::vector<std::string> tags = build.tags;
  tags.push_back(build.id);
  DAVIT_RETURN_IF_ERROR(transaction
                            .Execute(queries::kInsertPublication, build.id, build.project, build.sequence,
                                     build.image_repository, build.registry_credential_id, report.digest, tags)
                            .status());
  Advance advance;
  advance.state = BuildState::kPublishing;
  advance.digest = report.digest;
  return AdvanceBuild(transaction, build, advance);
}

// Does what follows the attempt.
absl::Status Follow(Transaction& transaction, const LockedBuild& build, const AttemptReport& report,
                    const NextStep& step, const EndingRules& rules) {
  if (step.state == BuildState::kQueued) return QueueAgain(transaction, build, report, step, rules);
  DAVIT_RETURN_IF_ERROR(LeaveShared(transaction, build, rules.default_max_running));
  if (step.state == BuildState::kPublishing) return Publish(transaction, build, report);
  Advance advance;
  advance.state = step.state;
  advance.detail = DetailOf(build, report, step);
  if (step.state == BuildState::kFailed || step.state == BuildState::kTimedOut) {
    advance.failure = {FailureClassOf(report.end), report.message};
  }
  return AdvanceBuild(transaction, build, advance);
}

}  // namespace

absl::StatusOr<LaneOfBuild> FindLane(Transaction& transaction, const std::string& id) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectBuildLane, id));
  if (rows.empty()) return absl::NotFoundError(absl::StrCat("id: no such build: ", id));
  const pqxx::row row = rows[0];
  return LaneOfBuild{id,
                     {ReadText(row["pool"]), ReadText(row["project"])},
                     row["priority"].as<int>(),
                     row["sequence"].as<int64_t>(),
                     ReadText(row["rule_id"])};
}

absl::Status LockLanes(Transaction& transaction, const std::vector<LaneKey>& lanes) {
  std::vector<std::string> pools;
  std::vector<std::string> projects;
  for (const LaneKey& lane : lanes) {
    pools.push_back(lane.pool);
    projects.push_back(lane.project);
  }
  return transaction.Execute(queries::kLockLanes, pools, projects).status();
}

absl::StatusOr<LockedBuild> LockBuild(Transaction& transaction, const std::string& id) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kLockBuild, id));
  if (rows.empty()) return absl::NotFoundError(absl::StrCat("no such build: ", id));
  const pqxx::row row = rows[0];
  LockedBuild build;
  build.id = id;
  build.project = ReadText(row["project"]);
  build.pool = ReadText(row["pool"]);
  build.priority = row["priority"].as<int>();
  build.sequence = row["sequence"].as<int64_t>();
  build.state = static_cast<BuildState>(row["state"].as<int>());
  build.attempt = row["attempt"].as<int>();
  build.failures = row["infrastructure_failures"].as<int>();
  if (!row["infrastructure_retries"].is_null()) build.infrastructure_retries = row["infrastructure_retries"].as<int>();
  build.superseded_by = ReadText(row["superseded_by"]);
  if (row["cancel_requested"].as<bool>()) {
    build.stop = build.superseded_by.empty() ? StopRequest::kCancel : StopRequest::kSupersede;
  }
  build.rule_id = ReadText(row["rule_id"]);
  build.concurrency_key = postgres::ReadBytes(row["concurrency_key"]);
  build.max_concurrent = row["max_concurrent"].as<int>();
  build.image_repository = ReadText(row["image_repository"]);
  build.registry_credential_id = ReadText(row["registry_credential_id"]);
  build.tags = ReadTexts(row["tags"]);
  build.digest = ReadText(row["digest"]);
  return build;
}

absl::Status AdvanceBuild(Transaction& transaction, const LockedBuild& build, const Advance& advance) {
  if (!MayFollow(build.state, advance.state)) {
    return absl::InternalError(absl::StrCat("build ", build.id, " cannot go from ", BuildStateName(build.state), " to ",
                                            BuildStateName(advance.state)));
  }
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                         transaction.Execute(queries::kAdvanceBuild, build.id, static_cast<int>(advance.state),
                                             advance.counts_as_failure ? 1 : 0, advance.not_before, advance.digest,
                                             static_cast<int>(advance.failure.failure_class), advance.failure.message,
                                             IsTerminal(advance.state)));
  DAVIT_RETURN_IF_ERROR(transaction
                            .Execute(queries::kInsertBuildEvent, build.id, build.project,
                                     rows[0]["revision"].as<int64_t>(), static_cast<int>(advance.state),
                                     rows[0]["attempt"].as<int>(), advance.detail)
                            .status());
  // That tags are being set is over soon and changes nothing for those who look at the commit.
  return advance.state == BuildState::kPublishing ? absl::OkStatus() : MarkCommits(transaction, {build.id});
}

absl::Status MarkCommits(Transaction& transaction, const std::vector<std::string>& builds) {
  if (builds.empty()) return absl::OkStatus();
  return transaction.Execute(queries::kMarkCommits, builds).status();
}

absl::Status Enqueue(Transaction& transaction, const std::string& pool, const std::string& project, int priority,
                     int64_t sequence, const std::string& id, int default_max_running) {
  return transaction.Execute(queries::kEnqueueBuild, pool, project, priority, sequence, id, default_max_running)
      .status();
}

absl::StatusOr<std::optional<EndedAttempt>> EndAttempt(Transaction& transaction, const AttemptReport& report,
                                                       const EndingRules& rules) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result released,
                         transaction.Execute(queries::kDeleteLease, report.build_id, report.fence));
  if (released.empty()) return std::nullopt;
  const int attempt = released[0]["attempt"].as<int>();
  DAVIT_RETURN_IF_ERROR(
      transaction.Execute(queries::kReleaseLane, ReadText(released[0]["pool"]), ReadText(released[0]["project"]))
          .status());
  DAVIT_ASSIGN_OR_RETURN(const LockedBuild build, LockBuild(transaction, report.build_id));
  RetryPolicy retry = rules.retry;
  if (build.infrastructure_retries.has_value()) retry.max_attempts = *build.infrastructure_retries + 1;
  const NextStep step = DecideNextStep(report.end, build.stop, build.failures, retry, rules.fraction);
  if (report.end == AttemptEnd::kNotStarted && step.state == BuildState::kQueued) {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kForgetAttempt, report.build_id, attempt).status());
  } else {
    DAVIT_RETURN_IF_ERROR(transaction
                              .Execute(queries::kEndAttempt, report.build_id, attempt, static_cast<int>(step.outcome),
                                       static_cast<int>(FailureClassOf(report.end)), report.message,
                                       report.log_expected)
                              .status());
  }
  DAVIT_RETURN_IF_ERROR(Follow(transaction, build, report, step, rules));
  DAVIT_RETURN_IF_ERROR(
      transaction.Execute(queries::kInsertRevocation, build.project, report.build_id, report.fence).status());
  return EndedAttempt{report.build_id, build.project, step.state};
}

absl::Status StaleFence(Transaction& transaction, const std::string& build_id, int64_t fence) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kNewestFence, build_id));
  if (rows.empty())
    return absl::NotFoundError(absl::StrCat("build_id: no such build, or nobody has held it: ", build_id));
  return StaleLease(fence, rows[0][0].as<int64_t>());
}

}  // namespace davit::scheduler
