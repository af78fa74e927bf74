// The outbox in PostgreSQL. Thread-safe; owns nothing but its reference.
#pragma once

#include <string>
#include <vector>

#include "libs/postgres/pool.h"
#include "services/rule_engine/build_outbox.h"

namespace davit::rule_engine {

// See BuildOutbox. Times are the database's, so that replicas need not agree on theirs.
class PostgresBuildOutbox : public BuildOutbox {
 public:
  // `pool` must outlive the outbox.
  explicit PostgresBuildOutbox(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::vector<ClaimedOrder>> Claim(int limit, absl::Duration claim) override;
  absl::Status Finish(int64_t id, const std::string& build_id) override;
  absl::Status Refuse(int64_t id, const std::string& why) override;
  absl::Status Postpone(int64_t id, absl::Duration delay, const std::string& error) override;
  absl::StatusOr<Waiting> Count() override;

 private:
  postgres::Pool& pool_;
};

}  // namespace davit::rule_engine
