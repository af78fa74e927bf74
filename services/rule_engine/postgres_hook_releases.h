// The releases of webhooks in PostgreSQL. Thread-safe; owns nothing but its reference.
#pragma once

#include <optional>
#include <string>

#include "libs/postgres/pool.h"
#include "services/rule_engine/hook_releases.h"

namespace davit::rule_engine {

// See HookReleases. Time is the database's.
class PostgresHookReleases : public HookReleases {
 public:
  // `pool` must outlive this.
  explicit PostgresHookReleases(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::optional<HookRelease>> Claim(absl::Duration lease) override;
  absl::Status Finish(const HookRelease& release) override;
  absl::Status Postpone(const HookRelease& release, const std::string& error, absl::Duration delay) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace davit::rule_engine
