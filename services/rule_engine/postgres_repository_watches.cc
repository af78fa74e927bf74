// The statements behind RepositoryWatches.
#include "services/rule_engine/postgres_repository_watches.h"

#include <vector>

#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/queries.h"

namespace davit::rule_engine {
namespace {

using postgres::ReadText;
using postgres::Scope;
using postgres::Transaction;

RepositoryWatch ReadWatch(const pqxx::row& row) {
  RepositoryWatch watch;
  watch.project = ReadText(row["project"]);
  watch.connection_id = ReadText(row["connection_id"]);
  watch.name_key = ReadText(row["name_key"]);
  watch.repository = ReadText(row["repository"]);
  watch.claim = row["claim"].as<int64_t>();
  if (!row["look_time"].is_null()) watch.look_time = postgres::ReadTime(row["look_time"]);
  watch.failures = row["failures"].as<int>();
  return watch;
}

// Ends the claim; false when it is not the newest.
absl::StatusOr<bool> EndClaim(Transaction& transaction, const RepositoryWatch& watch, absl::Duration next_look,
                              const std::string& error) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                         transaction.Execute(queries::kFinishWatch, watch.project, watch.connection_id, watch.name_key,
                                             watch.claim, next_look, error));
  return !rows.empty();
}

absl::Status WriteHeads(Transaction& transaction, const RepositoryWatch& watch, const HeadChanges& changes) {
  if (!changes.record.empty()) {
    std::vector<std::string> refs;
    std::vector<std::string> commits;
    std::vector<std::string> pending;
    for (const auto& [ref, head] : changes.record) {
      refs.push_back(ref);
      commits.push_back(head.commit);
      pending.push_back(head.pending_commit);
    }
    DAVIT_RETURN_IF_ERROR(transaction
                              .Execute(queries::kRecordWatchedHeads, watch.project, watch.connection_id, watch.name_key,
                                       refs, commits, pending)
                              .status());
  }
  if (changes.forget.empty()) return absl::OkStatus();
  return transaction
      .Execute(queries::kForgetWatchedHeads, watch.project, watch.connection_id, watch.name_key, changes.forget)
      .status();
}

}  // namespace

absl::StatusOr<int64_t> PostgresRepositoryWatches::Sync() {
  return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int64_t> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSyncWatches));
    return rows[0]["watches"].as<int64_t>();
  });
}

absl::StatusOr<std::optional<RepositoryWatch>> PostgresRepositoryWatches::Claim(absl::Duration lease,
                                                                                absl::Duration gap) {
  return pool_.Transact(
      Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::optional<RepositoryWatch>> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kClaimWatch, lease, gap));
        if (rows.empty()) return std::optional<RepositoryWatch>();
        return std::optional<RepositoryWatch>(ReadWatch(rows[0]));
      });
}

absl::StatusOr<WatchedHeads> PostgresRepositoryWatches::Heads(const RepositoryWatch& watch) {
  return pool_.Read(Scope::Project(watch.project), [&](Transaction& transaction) -> absl::StatusOr<WatchedHeads> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kListWatchedHeads, watch.project,
                                                                        watch.connection_id, watch.name_key));
    WatchedHeads heads;
    for (const pqxx::row& row : rows) {
      heads[ReadText(row["ref"])] = WatchedHead{ReadText(row["commit_id"]), ReadText(row["pending_commit"]),
                                                absl::Seconds(row["pending_seconds"].as<double>())};
    }
    return heads;
  });
}

absl::StatusOr<bool> PostgresRepositoryWatches::Finish(const RepositoryWatch& watch, const HeadChanges& changes,
                                                       absl::Duration next_look) {
  return pool_.Transact(Scope::Project(watch.project), [&](Transaction& transaction) -> absl::StatusOr<bool> {
    DAVIT_ASSIGN_OR_RETURN(const bool mine, EndClaim(transaction, watch, next_look, ""));
    if (mine) DAVIT_RETURN_IF_ERROR(WriteHeads(transaction, watch, changes));
    return mine;
  });
}

absl::Status PostgresRepositoryWatches::Fail(const RepositoryWatch& watch, const std::string& error,
                                             absl::Duration next_look) {
  return pool_.Transact(Scope::Project(watch.project), [&](Transaction& transaction) {
    return EndClaim(transaction, watch, next_look, error.empty() ? "failed" : error).status();
  });
}

}  // namespace davit::rule_engine
