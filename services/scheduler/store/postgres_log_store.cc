// Implements log_store.h on PostgreSQL.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/postgres/pool.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/log_store.h"
#include "services/scheduler/store/rows.h"
#include "services/scheduler/store/transitions.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::Bytes;
using ::davit::postgres::Transaction;

// Chunks that one read looks at; appends are at most 256 KiB and mostly far smaller.
constexpr int kReadChunks = 64;

class PostgresLogStore : public LogStore {
 public:
  PostgresLogStore(postgres::Pool& pool, int64_t max_log_size) : pool_(pool), max_log_size_(max_log_size) {}

  absl::StatusOr<int64_t> Append(const std::string& project, const std::string& build_id, int64_t fence, int64_t offset,
                                 absl::string_view data) override {
    return pool_.Transact(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<int64_t> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kLockLog, build_id, fence));
      if (rows.empty()) return StaleFence(transaction, build_id, fence);
      const int64_t stored = rows[0]["log_size"].as<int64_t>();
      // Without a lease only the announced tail may still come.
      const bool live = rows[0]["live"].as<bool>();
      const int64_t announced = rows[0]["log_expected"].is_null() ? 0 : rows[0]["log_expected"].as<int64_t>();
      const int64_t limit = live ? max_log_size_ : std::min(announced, max_log_size_);
      if (!live && stored >= announced) return StaleFence(transaction, build_id, fence);
      const int64_t end = offset + static_cast<int64_t>(data.size());
      if (offset > stored || end <= stored) return stored;
      if (end > limit) {
        return absl::ResourceExhaustedError(absl::StrCat("log over the limit of ", limit, " bytes"));
      }
      const absl::string_view fresh = data.substr(static_cast<size_t>(stored - offset));
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result appended,
                             transaction.Execute(queries::kAppendLog, build_id, rows[0]["attempt"].as<int>(), stored,
                                                 postgres::ReadText(rows[0]["project"]), Bytes{fresh}));
      return appended[0][0].as<int64_t>();
    });
  }

  absl::StatusOr<LogState> State(const std::string& project, const std::string& build_id, int attempt) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<LogState> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectLogState, build_id, attempt));
      if (rows.empty()) return absl::NotFoundError(absl::StrCat("build_id: no such build: ", build_id));
      LogState state;
      state.state = static_cast<BuildState>(rows[0]["state"].as<int>());
      state.newest_attempt = rows[0]["newest"].as<int>();
      if (rows[0]["attempt"].is_null()) return state;
      state.attempt = rows[0]["attempt"].as<int>();
      state.size = rows[0]["log_size"].as<int64_t>();
      if (!rows[0]["log_expected"].is_null()) state.expected = rows[0]["log_expected"].as<int64_t>();
      state.ended = rows[0]["ended"].as<bool>();
      state.ended_for = absl::Seconds(rows[0]["ended_seconds"].as<double>());
      return state;
    });
  }

  absl::StatusOr<std::string> Read(const std::string& project, const std::string& build_id, int attempt, int64_t offset,
                                   int64_t limit) override {
    return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::string> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                             transaction.Execute(queries::kReadLog, build_id, attempt, offset, kReadChunks));
      std::string data;
      for (const pqxx::row& row : rows) {
        const std::string chunk = postgres::ReadBytes(row["data"]);
        const int64_t skip = std::max<int64_t>(0, offset - row["log_offset"].as<int64_t>());
        if (skip < static_cast<int64_t>(chunk.size())) data.append(chunk, static_cast<size_t>(skip));
        if (static_cast<int64_t>(data.size()) >= limit) break;
      }
      if (static_cast<int64_t>(data.size()) > limit) data.resize(static_cast<size_t>(limit));
      return data;
    });
  }

 private:
  postgres::Pool& pool_;
  const int64_t max_log_size_;
};

}  // namespace

std::unique_ptr<LogStore> NewPostgresLogStore(postgres::Pool& pool, int64_t max_log_size) {
  return std::make_unique<PostgresLogStore>(pool, max_log_size);
}

}  // namespace davit::scheduler
