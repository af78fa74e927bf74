// Logs of attempts, addressed by offset. The interface and its PostgreSQL implementation's constructor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/scheduler/domain/build_state.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// How far the log of an attempt is.
struct LogState {
  BuildState state = BuildState::kQueued;  // Of the build.
  int newest_attempt = 0;                  // 0 = none yet.
  int attempt = 0;                         // Which attempt this is about; 0 = it does not exist.
  int64_t size = 0;
  std::optional<int64_t> expected;  // Bytes that the agent wrote in all, once it has said so.
  bool ended = false;               // The attempt has ended.
  absl::Duration ended_for;         // Since when.

  // Everything that the agent wrote is stored.
  bool complete() const { return ended && expected.has_value() && size >= *expected; }
};

// Thread-safe; every call is one transaction and may block.
class LogStore {
 public:
  virtual ~LogStore() = default;

  // Appends what goes beyond the stored size and returns the stored size, durable. Bytes that are there already are
  // ignored; data behind a gap is not stored. The tail of a log may be appended after the attempt's end, as far as the
  // agent announced it. FAILED_PRECONDITION for a stale fence; NOT_FOUND for a build that is not there;
  // RESOURCE_EXHAUSTED over `max_log_size`.
  virtual absl::StatusOr<int64_t> Append(const std::string& project, const std::string& build_id, int64_t fence,
                                         int64_t offset, absl::string_view data) = 0;

  // How far a log is; attempt 0 = the newest. NOT_FOUND: no such build.
  virtual absl::StatusOr<LogState> State(const std::string& project, const std::string& build_id, int attempt) = 0;

  // At most `limit` bytes from `offset`; empty at the end.
  virtual absl::StatusOr<std::string> Read(const std::string& project, const std::string& build_id, int attempt,
                                           int64_t offset, int64_t limit) = 0;
};

// `pool` must outlive the store.
std::unique_ptr<LogStore> NewPostgresLogStore(postgres::Pool& pool, int64_t max_log_size);

}  // namespace davit::scheduler
