// Which repositories are compared with the ledger, when, and what was found there. An interface; implementations are
// thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit::rule_engine {

// A repository that the caller has claimed to look at.
struct RepositoryWatch {
  std::string project;
  std::string connection_id;
  // Names the watch within the connection.
  std::string name_key;
  // As a rule spells it.
  std::string repository;
  int64_t claim = 0;
  // The last look that did not fail; nothing = this is the first.
  std::optional<absl::Time> look_time;
  // Looks that failed since.
  int failures = 0;
};

// Where a ref is known to have pointed.
struct WatchedHead {
  // Empty: the ref is new.
  std::string commit;
  // Where it points now although no event has said so; empty = nowhere else.
  std::string pending_commit;
  // For how long that has been known.
  absl::Duration pending_for;
};

// By full ref.
using WatchedHeads = std::map<std::string, WatchedHead>;

// What a look changes.
struct HeadChanges {
  // New values; `pending_for` counts from now.
  WatchedHeads record;
  std::vector<std::string> forget;
};

// The watched repositories of all projects.
class RepositoryWatches {
 public:
  virtual ~RepositoryWatches() = default;

  // Watches every repository with an enabled rule that pushes trigger, and no other; returns how many those are.
  virtual absl::StatusOr<int64_t> Sync() = 0;

  // The repository that is due first, for `lease`: after that it is due again, so that a holder may die. Of one
  // connection at most one every `gap`, whatever replica asks. Nothing = none is due.
  virtual absl::StatusOr<std::optional<RepositoryWatch>> Claim(absl::Duration lease, absl::Duration gap) = 0;

  virtual absl::StatusOr<WatchedHeads> Heads(const RepositoryWatch& watch) = 0;

  // Ends a look. Returns false, and changes nothing, when another replica has claimed the repository since.
  virtual absl::StatusOr<bool> Finish(const RepositoryWatch& watch, const HeadChanges& changes,
                                      absl::Duration next_look) = 0;

  // Ends a look that failed.
  virtual absl::Status Fail(const RepositoryWatch& watch, const std::string& error, absl::Duration next_look) = 0;
};

}  // namespace davit::rule_engine
