// Makes a pool's connections and waits for a server that is being restarted. Internal to libs/postgres. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/postgres/connection.h"

namespace davit::postgres {

// Knows for all threads that connect to one server since when it is away. Away is a server that nobody listens for (no
// socket, connection refused) or that says that it is starting or shutting down; one that refuses a password, a
// database or one connection more is there.
class Connector {
 public:
  // Waits at most `patience` for a server that is away, counted from the first try that failed for it. `clock` must
  // outlive this.
  Connector(std::string conninfo, absl::Duration patience, Clock& clock);

  // Tries once. Errors as Connection::Connect.
  absl::StatusOr<std::unique_ptr<Connection>> Connect() ABSL_LOCKS_EXCLUDED(mutex_);

  // Tries until the server is back or has been away for as long as the patience: from then on there is one try per
  // call, until one succeeds. Errors as Connection::Connect.
  absl::StatusOr<std::unique_ptr<Connection>> ConnectPatiently() ABSL_LOCKS_EXCLUDED(mutex_);

  // Why the last try failed while the server is away; OK while it is not known to be.
  absl::Status Outage() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Whether a try that was begun at `began` and failed is one too many.
  bool IsPatienceOver(absl::Duration began) const ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteAway(absl::Duration began, const absl::Status& failure) ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteThere() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string conninfo_;
  const absl::Duration patience_;
  Clock& clock_;
  SystemRandom random_;
  mutable absl::Mutex mutex_;
  std::optional<absl::Duration> away_since_ ABSL_GUARDED_BY(mutex_);  // On the monotonic clock.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);                      // Of the last try while the server is away.
};

}  // namespace davit::postgres
