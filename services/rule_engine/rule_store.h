// Where rules are kept. An interface; implementations are thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// Which rules to list.
struct RuleFilter {
  // Empty = of all connections.
  std::string connection_id;
  // Empty = of all repositories; case does not count.
  std::string repository;
};

// Rules of projects. Rules of other projects are NOT_FOUND.
class RuleStore {
 public:
  virtual ~RuleStore() = default;

  // Adds a rule with a new id, version 1. ALREADY_EXISTS "rule.display_name: …" when the name is taken.
  virtual absl::StatusOr<Rule> Create(const Rule& rule) = 0;
  virtual absl::StatusOr<Rule> Get(const std::string& project, const std::string& id) = 0;
  // At most `limit` rules by display name, those behind `after` ("" = from the first).
  virtual absl::StatusOr<std::vector<Rule>> List(const std::string& project, const RuleFilter& filter,
                                                 const std::string& after, int limit) = 0;
  // Replaces name, trigger, recipe, destination and tag templates of the version that `rule` carries. ABORTED when the
  // stored version is another.
  virtual absl::StatusOr<Rule> Update(const Rule& rule) = 0;
  // At most 500 of the project's rules whose image repository is that of `rule`, without the one of its id.
  virtual absl::StatusOr<std::vector<Rule>> ListOfImage(const Rule& rule) = 0;
  virtual absl::StatusOr<Rule> SetEnabled(const std::string& project, const std::string& id, bool enabled) = 0;
  virtual absl::Status Delete(const std::string& project, const std::string& id) = 0;
};

}  // namespace davit::rule_engine
