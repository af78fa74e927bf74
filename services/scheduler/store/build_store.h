// Builds as clients see them: made, read, listed, cancelled. The interface and its PostgreSQL implementation's
// constructor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/scheduler/store/records.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// Whether a build is read with its attempts and transitions.
enum class BuildDetail { kBrief, kFull };

// Which builds a list has.
struct BuildFilter {
  std::vector<BuildState> states;  // Empty = all.
  std::string repository;          // Empty = all.
  std::string rule_id;             // Empty = all.
  int64_t before_sequence = INT64_MAX;
  int limit = 50;
};

// A build and whether its request was known already.
struct CreatedBuild {
  BuildRecord build;
  bool duplicate = false;
  // Older builds that it superseded, or asked to stop.
  std::vector<std::string> superseded = {};
};

// Thread-safe; every call is one transaction and may block. `project` may be kEveryProject. Builds of other projects
// are NOT_FOUND.
class BuildStore {
 public:
  virtual ~BuildStore() = default;

  // Makes a build, does to older builds of its group what it says, and queues it: all or nothing. A known request id
  // gives its build and changes nothing; ALREADY_EXISTS when that request was another one.
  virtual absl::StatusOr<CreatedBuild> Create(const NewBuild& build) = 0;

  // The build that a request made, if any.
  virtual absl::StatusOr<std::optional<BuildRecord>> FindByRequest(const std::string& project,
                                                                   const std::string& request_id) = 0;

  virtual absl::StatusOr<BuildRecord> Get(const std::string& project, const std::string& id, BuildDetail detail) = 0;

  // Newest first.
  virtual absl::StatusOr<std::vector<BuildRecord>> List(const std::string& project, const BuildFilter& filter) = 0;

  // Ends a build that waits; asks the agent of one that runs to stop. A cancelled build stays as it is.
  // FAILED_PRECONDITION: it has ended otherwise, or its tags are being set.
  virtual absl::StatusOr<BuildRecord> Cancel(const std::string& project, const std::string& id) = 0;

  // How far the builds are; those that are gone are left out.
  virtual absl::StatusOr<std::vector<BuildVersion>> Versions(const std::vector<std::string>& ids) = 0;
};

// `default_max_running` is the limit of a project without limits of its own. `pool` must outlive the store.
std::unique_ptr<BuildStore> NewPostgresBuildStore(postgres::Pool& pool, int default_max_running);

}  // namespace davit::scheduler
