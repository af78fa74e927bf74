// The outbox of commit statuses. The interface and its PostgreSQL implementation's constructor.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/scheduler/domain/build_state.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// What a commit is to show: the newest state of its newest build under one context.
struct CommitMark {
  std::string project;
  std::string connection_id;
  std::string repository;
  std::string commit;
  std::string context;
  std::string build_id;
  std::string ref;     // Empty when only a commit was named.
  std::string digest;  // Of the build's image; empty unless it was pushed.
  int64_t revision = 0;
  BuildState state = BuildState::kQueued;
  int attempts = 0;    // To tell this state; this one included.
  absl::Duration age;  // Since the build came to the state.
};

// Rows are written where builds change (transitions.h), in the same transaction. Thread-safe; every call may block.
class CommitStatusStore {
 public:
  virtual ~CommitStatusStore() = default;

  // Takes a mark that is due; nobody gets one of the same commit and context for `hold`, unless it is settled before:
  // what is told about a context is told one after the other. nullopt when nothing is due.
  virtual absl::StatusOr<std::optional<CommitMark>> Take(absl::Duration hold) = 0;

  // The mark was told, or cannot be; a newer one is due at once. `note`, unless empty, is added to the build's history.
  virtual absl::Status Finish(const CommitMark& mark, absl::string_view note) = 0;

  // Lets the mark (or a newer one that has replaced it) be taken again after `delay`.
  virtual absl::Status Postpone(const CommitMark& mark, absl::Duration delay) = 0;

  // The same for everything that goes through the mark's connection.
  virtual absl::Status PostponeConnection(const CommitMark& mark, absl::Duration delay) = 0;

  // Forgets marks that were told, or given up, and whose builds came to their states more than `age` ago; returns how
  // many, a batch at most.
  virtual absl::StatusOr<int> DeleteOld(absl::Duration age) = 0;
};

// `pool` must outlive the store.
std::unique_ptr<CommitStatusStore> NewPostgresCommitStatusStore(postgres::Pool& pool);

}  // namespace davit::scheduler
