// Agents as clients see them. The interface and its PostgreSQL implementation's constructor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/scheduler/store/records.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// An operator's wish about an agent.
enum class DrainWish { kDrain, kUndrain };

// Thread-safe; every call is one transaction and may block. Builds of projects other than `project` are not shown.
class AgentStore {
 public:
  virtual ~AgentStore() = default;

  // By name, those after `after_name`.
  virtual absl::StatusOr<std::vector<AgentRecord>> List(const std::string& project, const std::string& after_name,
                                                        int limit) = 0;

  // Gives an agent no more builds, or builds again. NOT_FOUND.
  virtual absl::StatusOr<AgentRecord> SetDrain(const std::string& project, const std::string& id, DrainWish wish) = 0;
};

// An agent that has not called for `present_within` is offline. `pool` must outlive the store.
std::unique_ptr<AgentStore> NewPostgresAgentStore(postgres::Pool& pool, absl::Duration present_within);

}  // namespace davit::scheduler
