// Implements commit_status_store.h on PostgreSQL.
#include "libs/postgres/pool.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/commit_status_store.h"
#include "services/scheduler/store/rows.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::ReadText;
using ::davit::postgres::Scope;
using ::davit::postgres::Transaction;

constexpr int kDeleteBatch = 1000;

class PostgresCommitStatusStore : public CommitStatusStore {
 public:
  explicit PostgresCommitStatusStore(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::optional<CommitMark>> Take(absl::Duration hold) override {
    return pool_.Transact(
        Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::optional<CommitMark>> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kTakeCommitStatus, hold));
          if (rows.empty()) return std::nullopt;
          const pqxx::row row = rows[0];
          CommitMark mark;
          mark.project = ReadText(row["project"]);
          mark.connection_id = ReadText(row["connection_id"]);
          mark.repository = ReadText(row["repository"]);
          mark.commit = ReadText(row["commit_id"]);
          mark.context = ReadText(row["context"]);
          mark.build_id = ReadText(row["build_id"]);
          mark.ref = ReadText(row["ref"]);
          mark.digest = ReadText(row["digest"]);
          mark.revision = row["revision"].as<int64_t>();
          mark.state = static_cast<BuildState>(row["state"].as<int>());
          mark.attempts = row["attempts"].as<int>();
          mark.age = absl::Seconds(row["age"].as<double>());
          return mark;
        });
  }

  absl::Status Finish(const CommitMark& mark, absl::string_view note) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::Status {
      // The build first: that is the order in which transitions lock.
      if (!note.empty()) {
        DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kNoteOnBuild, mark.build_id, note).status());
      }
      return transaction
          .Execute(queries::kFinishCommitStatus, mark.connection_id, mark.repository, mark.commit, mark.context,
                   mark.project, mark.build_id, mark.revision)
          .status();
    });
  }

  absl::Status Postpone(const CommitMark& mark, absl::Duration delay) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
      return transaction
          .Execute(queries::kPostponeCommitStatus, mark.connection_id, mark.repository, mark.commit, mark.context,
                   mark.project, delay)
          .status();
    });
  }

  absl::Status PostponeConnection(const CommitMark& mark, absl::Duration delay) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::Status {
      DAVIT_RETURN_IF_ERROR(transaction
                                .Execute(queries::kPostponeCommitStatus, mark.connection_id, mark.repository,
                                         mark.commit, mark.context, mark.project, delay)
                                .status());
      return transaction.Execute(queries::kPostponeConnectionStatuses, mark.connection_id, delay).status();
    });
  }

  absl::StatusOr<int> DeleteOld(absl::Duration age) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                             transaction.Execute(queries::kDeleteOldCommitStatuses, age, kDeleteBatch));
      return static_cast<int>(rows.affected_rows());
    });
  }

 private:
  postgres::Pool& pool_;
};

}  // namespace

std::unique_ptr<CommitStatusStore> NewPostgresCommitStatusStore(postgres::Pool& pool) {
  return std::make_unique<PostgresCommitStatusStore>(pool);
}

}  // namespace davit::scheduler
