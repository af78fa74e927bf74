// Rules in PostgreSQL. Thread-safe; owns nothing but its references.
#pragma once

#include <string>
#include <vector>

#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/postgres/pool.h"
#include "services/rule_engine/rule_store.h"

namespace davit::rule_engine {

// See RuleStore. Every call is one transaction confined to its project.
class PostgresRuleStore : public RuleStore {
 public:
  // All parameters must outlive the store; clock and random make ids.
  PostgresRuleStore(postgres::Pool& pool, Clock& clock, RandomSource& random)
      : pool_(pool), clock_(clock), random_(random) {}

  absl::StatusOr<Rule> Create(const Rule& rule) override;
  absl::StatusOr<Rule> Get(const std::string& project, const std::string& id) override;
  absl::StatusOr<std::vector<Rule>> List(const std::string& project, const RuleFilter& filter, const std::string& after,
                                         int limit) override;
  absl::StatusOr<Rule> Update(const Rule& rule) override;
  absl::StatusOr<std::vector<Rule>> ListOfImage(const Rule& rule) override;
  absl::StatusOr<Rule> SetEnabled(const std::string& project, const std::string& id, bool enabled) override;
  absl::Status Delete(const std::string& project, const std::string& id) override;

 private:
  postgres::Pool& pool_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::rule_engine
