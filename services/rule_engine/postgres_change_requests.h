// ChangeRequests in PostgreSQL. Thread-safe; owns nothing but its reference.
#pragma once

#include <optional>

#include "libs/postgres/pool.h"
#include "services/rule_engine/change_requests.h"

namespace davit::rule_engine {

// See ChangeRequests.
class PostgresChangeRequests : public ChangeRequests {
 public:
  // `pool` must outlive this.
  explicit PostgresChangeRequests(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::optional<ChangeRequest>> Claim(absl::Duration claim) override;
  absl::Status Answer(const ChangeRequest& request, const ChangedPaths& changes) override;
  absl::Status Postpone(const ChangeRequest& request, absl::Duration delay) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace davit::rule_engine
