// The watched repositories in PostgreSQL. Thread-safe; owns nothing but its reference.
#pragma once

#include <string>

#include "libs/postgres/pool.h"
#include "services/rule_engine/repository_watches.h"

namespace davit::rule_engine {

// See RepositoryWatches. Time is the database's.
class PostgresRepositoryWatches : public RepositoryWatches {
 public:
  // `pool` must outlive this.
  explicit PostgresRepositoryWatches(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<int64_t> Sync() override;
  absl::StatusOr<std::optional<RepositoryWatch>> Claim(absl::Duration lease, absl::Duration gap) override;
  absl::StatusOr<WatchedHeads> Heads(const RepositoryWatch& watch) override;
  absl::StatusOr<bool> Finish(const RepositoryWatch& watch, const HeadChanges& changes,
                              absl::Duration next_look) override;
  absl::Status Fail(const RepositoryWatch& watch, const std::string& error, absl::Duration next_look) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace davit::rule_engine
