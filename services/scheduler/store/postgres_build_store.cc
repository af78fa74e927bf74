// Implements build_store.h on PostgreSQL.
#include "absl/strings/str_cat.h"
#include "libs/postgres/pool.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/build_store.h"
#include "services/scheduler/store/rows.h"
#include "services/scheduler/store/sharing.h"
#include "services/scheduler/store/transitions.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::Bytes;
using ::davit::postgres::ReadText;
using ::davit::postgres::Transaction;

absl::Status NoSuchBuild(const std::string& id) { return absl::NotFoundError(absl::StrCat("id: no such build: ", id)); }

absl::StatusOr<BuildRecord> Load(Transaction& transaction, const std::string& id, BuildDetail detail) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectBuild, id));
  if (rows.empty()) return NoSuchBuild(id);
  BuildRecord build = ReadBuild(rows[0]);
  if (detail == BuildDetail::kBrief) return build;
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result attempts, transaction.Execute(queries::kSelectBuildAttempts, id));
  for (const pqxx::row& row : attempts) build.attempts.push_back(ReadAttempt(row));
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result events, transaction.Execute(queries::kSelectBuildEvents, id));
  for (const pqxx::row& row : events) build.transitions.push_back(ReadTransition(row));
  return build;
}

absl::StatusOr<std::optional<BuildRecord>> LoadByRequest(Transaction& transaction, const std::string& project,
                                                         const std::string& request_id) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                         transaction.Execute(queries::kSelectBuildByRequest, project, request_id));
  if (rows.empty()) return std::nullopt;
  return ReadBuild(rows[0]);
}

absl::Status CancelIn(Transaction& transaction, const std::string& id, int default_max_running) {
  DAVIT_ASSIGN_OR_RETURN(const LaneOfBuild lane, FindLane(transaction, id));
  DAVIT_RETURN_IF_ERROR(LockLanes(transaction, {lane.key}));
  DAVIT_ASSIGN_OR_RETURN(const bool waited, StopWaiting(transaction, lane));
  if (waited) {
    DAVIT_ASSIGN_OR_RETURN(const LockedBuild build, LockBuild(transaction, id));
    Advance advance;
    advance.state = BuildState::kCancelled;
    advance.detail = "cancelled before an agent had it";
    DAVIT_RETURN_IF_ERROR(AdvanceBuild(transaction, build, advance));
    return LeaveShared(transaction, build, default_max_running);
  }
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result asked, transaction.Execute(queries::kRequestLeaseCancel, id));
  if (!asked.empty()) return transaction.Execute(queries::kRequestBuildCancel, id).status();
  DAVIT_ASSIGN_OR_RETURN(const LockedBuild build, LockBuild(transaction, id));
  if (build.state == BuildState::kCancelled) return absl::OkStatus();
  if (build.state == BuildState::kPublishing) {
    return absl::FailedPreconditionError(
        "the build cannot be cancelled: its image is pushed and its tags are being set");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the build cannot be cancelled: it has ended ", BuildStateName(build.state)));
}

class PostgresBuildStore : public BuildStore {
 public:
  PostgresBuildStore(postgres::Pool& pool, int default_max_running)
      : pool_(pool), default_max_running_(default_max_running) {}

  absl::StatusOr<CreatedBuild> Create(const NewBuild& build) override {
    return pool_.Transact(ScopeOf(build.project), [&](Transaction& transaction) -> absl::StatusOr<CreatedBuild> {
      std::optional<std::string> request_id;
      if (!build.request_id.empty()) request_id = build.request_id;
      DAVIT_RETURN_IF_ERROR(LockSharedLane(transaction, build, default_max_running_));
      DAVIT_ASSIGN_OR_RETURN(
          const pqxx::result inserted,
          transaction.Execute(queries::kInsertBuild, build.id, build.project, request_id, Bytes{build.request_digest},
                              build.pool, build.priority, Bytes{build.spec}, build.image_repository,
                              build.connection_id, build.repository, build.ref, build.commit, build.rule_id,
                              build.event_id, build.upload_id, build.registry_credential_id, build.tags,
                              build.requested_by, build.retry_of, build.timeout, Bytes{build.policy},
                              build.infrastructure_retries, Bytes{build.concurrency_key}, build.max_concurrent));
      if (inserted.empty()) return Known(transaction, build);
      const int64_t sequence = inserted[0][0].as<int64_t>();
      DAVIT_RETURN_IF_ERROR(transaction
                                .Execute(queries::kInsertBuildEvent, build.id, build.project, 1,
                                         static_cast<int>(BuildState::kQueued), 0, "")
                                .status());
      DAVIT_RETURN_IF_ERROR(MarkCommits(transaction, {build.id}));
      DAVIT_ASSIGN_OR_RETURN(std::vector<std::string> superseded,
                             JoinGroup(transaction, build, sequence, default_max_running_));
      DAVIT_RETURN_IF_ERROR(EnterQueue(transaction, build, sequence, default_max_running_));
      DAVIT_ASSIGN_OR_RETURN(BuildRecord record, Load(transaction, build.id, BuildDetail::kBrief));
      return CreatedBuild{std::move(record), false, std::move(superseded)};
    });
  }

  absl::StatusOr<std::optional<BuildRecord>> FindByRequest(const std::string& project,
                                                           const std::string& request_id) override {
    return pool_.Read(ScopeOf(project),
                      [&](Transaction& transaction) { return LoadByRequest(transaction, project, request_id); });
  }

  absl::StatusOr<BuildRecord> Get(const std::string& project, const std::string& id, BuildDetail detail) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) { return Load(transaction, id, detail); });
  }

  absl::StatusOr<std::vector<BuildRecord>> List(const std::string& project, const BuildFilter& filter) override {
    std::optional<std::vector<int32_t>> states;
    if (!filter.states.empty()) states.emplace();
    for (const BuildState state : filter.states) states->push_back(static_cast<int32_t>(state));
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<BuildRecord>> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                             transaction.Execute(queries::kListBuilds, project, states, filter.repository,
                                                 filter.rule_id, filter.before_sequence, filter.limit));
      std::vector<BuildRecord> builds;
      for (const pqxx::row& row : rows) builds.push_back(ReadBuild(row));
      return builds;
    });
  }

  absl::StatusOr<BuildRecord> Cancel(const std::string& project, const std::string& id) override {
    return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<BuildRecord> {
      DAVIT_RETURN_IF_ERROR(CancelIn(transaction, id, default_max_running_));
      return Load(transaction, id, BuildDetail::kFull);
    });
  }

  absl::StatusOr<std::vector<BuildVersion>> Versions(const std::vector<std::string>& ids) override {
    return pool_.Read(
        postgres::Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<BuildVersion>> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectVersions, ids));
          std::vector<BuildVersion> versions;
          for (const pqxx::row& row : rows) {
            versions.push_back({ReadText(row["id"]), row["revision"].as<int64_t>(),
                                static_cast<BuildState>(row["state"].as<int>()), row["attempt"].as<int>(),
                                row["log_size"].as<int64_t>(), row["attempt_ended"].as<bool>()});
          }
          return versions;
        });
  }

 private:
  // The build that the request made before.
  static absl::StatusOr<CreatedBuild> Known(Transaction& transaction, const NewBuild& build) {
    DAVIT_ASSIGN_OR_RETURN(std::optional<BuildRecord> known,
                           LoadByRequest(transaction, build.project, build.request_id));
    if (!known.has_value()) return absl::AbortedError("the build of this request_id has just been removed");
    if (known->request_digest != build.request_digest) {
      return absl::AlreadyExistsError(
          absl::StrCat("request_id: already used for another request, which made ", known->id));
    }
    return CreatedBuild{*std::move(known), true};
  }

  postgres::Pool& pool_;
  const int default_max_running_;
};

}  // namespace

std::unique_ptr<BuildStore> NewPostgresBuildStore(postgres::Pool& pool, int default_max_running) {
  return std::make_unique<PostgresBuildStore>(pool, default_max_running);
}

}  // namespace davit::scheduler
