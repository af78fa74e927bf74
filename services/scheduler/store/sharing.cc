// Implements sharing.h.
#include "services/scheduler/store/sharing.h"

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::Bytes;
using ::davit::postgres::ReadText;
using ::davit::postgres::Transaction;

constexpr size_t kShownCommitDigits = 7;

// What an older build's history says of its end.
std::string DetailOf(const NewBuild& newer) {
  std::string what = newer.ref;
  if (!newer.commit.empty()) {
    absl::StrAppend(&what, what.empty() ? "" : " at ", newer.commit.substr(0, kShownCommitDigits));
  }
  return absl::StrCat("superseded by ", newer.id, what.empty() ? "" : absl::StrCat(" (", what, ")"));
}

absl::Status AdmitWaiting(Transaction& transaction, const std::string& project, const std::string& rule_id,
                          int default_max_running) {
  return transaction.Execute(queries::kAdmitWaiting, project, rule_id, default_max_running).status();
}

// Ends an older build that waits, or asks its agent to stop; returns whether it did.
absl::StatusOr<bool> SupersedeOne(Transaction& transaction, const std::string& id, const NewBuild& newer,
                                  int default_max_running) {
  DAVIT_ASSIGN_OR_RETURN(const LaneOfBuild lane, FindLane(transaction, id));
  DAVIT_ASSIGN_OR_RETURN(const bool waited, StopWaiting(transaction, lane));
  if (!waited) {
    if (newer.supersede != Supersede::kRunning) return false;
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result asked, transaction.Execute(queries::kRequestLeaseCancel, id));
    if (asked.empty()) return false;
  }
  DAVIT_ASSIGN_OR_RETURN(const LockedBuild build, LockBuild(transaction, id));
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result marked, transaction.Execute(queries::kSupersedeBuild, id, newer.id));
  if (!waited) {
    if (marked.empty()) return false;
    DAVIT_RETURN_IF_ERROR(transaction
                              .Execute(queries::kInsertBuildEvent, id, build.project, marked[0][0].as<int64_t>(),
                                       static_cast<int>(build.state), build.attempt,
                                       absl::StrCat("to stop: ", DetailOf(newer)))
                              .status());
    return true;
  }
  Advance advance;
  advance.state = BuildState::kSuperseded;
  advance.detail = DetailOf(newer);
  DAVIT_RETURN_IF_ERROR(AdvanceBuild(transaction, build, advance));
  DAVIT_RETURN_IF_ERROR(LeaveShared(transaction, build, default_max_running));
  return true;
}

}  // namespace

absl::Status LockSharedLane(Transaction& transaction, const NewBuild& build, int default_max_running) {
  if (build.supersede == Supersede::kNothing && build.max_concurrent == 0) return absl::OkStatus();
  // Made first, as what is not there cannot be locked; nothing is written when it is there.
  DAVIT_RETURN_IF_ERROR(
      transaction.Execute(queries::kEnsureLane, build.pool, build.project, default_max_running).status());
  return LockLanes(transaction, {{build.pool, build.project}});
}

absl::StatusOr<std::vector<std::string>> JoinGroup(Transaction& transaction, const NewBuild& build, int64_t sequence,
                                                   int default_max_running) {
  std::vector<std::string> superseded;
  if (build.concurrency_key.empty()) return superseded;
  const Bytes key{build.concurrency_key};
  DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kJoinGroup, build.project, key, sequence, build.id).status());
  if (build.supersede == Supersede::kNothing) return superseded;
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result older,
                         transaction.Execute(queries::kSelectOlderMembers, build.project, key, sequence));
  for (const pqxx::row& row : older) {
    const std::string id = ReadText(row["build_id"]);
    DAVIT_ASSIGN_OR_RETURN(const bool ends, SupersedeOne(transaction, id, build, default_max_running));
    if (ends) superseded.push_back(id);
  }
  return superseded;
}

absl::Status EnterQueue(Transaction& transaction, const NewBuild& build, int64_t sequence, int default_max_running) {
  if (build.max_concurrent == 0) {
    return Enqueue(transaction, build.pool, build.project, build.priority, sequence, build.id, default_max_running);
  }
  DAVIT_RETURN_IF_ERROR(transaction
                            .Execute(queries::kWaitForRule, build.project, build.rule_id, build.priority, sequence,
                                     build.pool, build.id, build.max_concurrent)
                            .status());
  return AdmitWaiting(transaction, build.project, build.rule_id, default_max_running);
}

absl::StatusOr<bool> StopWaiting(Transaction& transaction, const LaneOfBuild& lane) {
  DAVIT_ASSIGN_OR_RETURN(
      const pqxx::result dequeued,
      transaction.Execute(queries::kDequeueBuild, lane.key.pool, lane.key.project, lane.priority, lane.sequence));
  if (!dequeued.empty()) return true;
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result delayed, transaction.Execute(queries::kCancelDelay, lane.build_id));
  if (!delayed.empty()) return true;
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result waited, transaction.Execute(queries::kCancelRuleWait, lane.key.project,
                                                                        lane.rule_id, lane.priority, lane.sequence));
  return !waited.empty();
}

absl::Status LeaveShared(Transaction& transaction, const LockedBuild& build, int default_max_running) {
  if (!build.concurrency_key.empty()) {
    DAVIT_RETURN_IF_ERROR(
        transaction.Execute(queries::kLeaveGroup, build.project, Bytes{build.concurrency_key}, build.sequence)
            .status());
  }
  if (build.max_concurrent == 0) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result released,
                         transaction.Execute(queries::kReleaseRuleSlot, build.project, build.rule_id, build.sequence));
  if (released.empty()) return absl::OkStatus();
  return AdmitWaiting(transaction, build.project, build.rule_id, default_max_running);
}

}  // namespace davit::scheduler
