// Implements upload_store.h on PostgreSQL.
#include "absl/strings/str_cat.h"
#include "libs/postgres/pool.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/rows.h"
#include "services/scheduler/store/upload_store.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::Bytes;
using ::davit::postgres::Scope;
using ::davit::postgres::Transaction;

// Old uploads that one transaction removes at most.
constexpr int kDeleteBatch = 20;

class PostgresUploadStore : public UploadStore {
 public:
  explicit PostgresUploadStore(postgres::Pool& pool) : pool_(pool) {}

  absl::Status Begin(const UploadRecord& upload) override {
    return pool_.Transact(Scope::Project(upload.project), [&](Transaction& transaction) {
      return transaction.Execute(queries::kInsertUpload, upload.id, upload.project, upload.format, upload.file_name)
          .status();
    });
  }

  absl::Status Append(const UploadRecord& upload, int first, const std::vector<std::string>& chunks) override {
    std::vector<Bytes> data;
    data.reserve(chunks.size());
    for (const std::string& chunk : chunks) data.push_back(Bytes{chunk});
    return pool_.Transact(Scope::Project(upload.project), [&](Transaction& transaction) {
      return transaction.Execute(queries::kInsertUploadChunks, upload.id, upload.project, first, data).status();
    });
  }

  absl::StatusOr<UploadRecord> Complete(const UploadRecord& upload) override {
    return pool_.Transact(
        Scope::Project(upload.project), [&](Transaction& transaction) -> absl::StatusOr<UploadRecord> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                                 transaction.Execute(queries::kCompleteUpload, upload.id, upload.size, upload.digest));
          if (rows.empty()) return absl::NotFoundError(absl::StrCat("no such upload: ", upload.id));
          return ReadUpload(rows[0]);
        });
  }

  absl::Status Abandon(const UploadRecord& upload) override {
    return pool_.Transact(Scope::Project(upload.project), [&](Transaction& transaction) {
      return transaction.Execute(queries::kDeleteUpload, upload.id).status();
    });
  }

  absl::StatusOr<UploadRecord> Get(const std::string& project, const std::string& id) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<UploadRecord> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectUpload, id));
      if (rows.empty()) return absl::NotFoundError(absl::StrCat("no such upload: ", id));
      return ReadUpload(rows[0]);
    });
  }

  absl::StatusOr<UploadRecord> OfBuild(const std::string& project, const std::string& build_id) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<UploadRecord> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectBuildUpload, build_id));
      if (rows.empty()) {
        return absl::NotFoundError(absl::StrCat("build_id: the build is not made from an upload: ", build_id));
      }
      return ReadUpload(rows[0]);
    });
  }

  absl::StatusOr<std::string> ReadChunk(const std::string& project, const std::string& id, int number) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::string> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kReadUploadChunk, id, number));
      return rows.empty() ? std::string() : postgres::ReadBytes(rows[0][0]);
    });
  }

  absl::StatusOr<int> DeleteOld(absl::Duration age) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                             transaction.Execute(queries::kDeleteOldUploads, age, kDeleteBatch));
      return static_cast<int>(rows.size());
    });
  }

 private:
  postgres::Pool& pool_;
};

}  // namespace

std::unique_ptr<UploadStore> NewPostgresUploadStore(postgres::Pool& pool) {
  return std::make_unique<PostgresUploadStore>(pool);
}

}  // namespace davit::scheduler
