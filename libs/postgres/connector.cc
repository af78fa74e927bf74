// Implements connector.h.
#include "libs/postgres/connector.h"

#include <postgresql/libpq-fe.h>

#include <utility>

#include "libs/status/retry.h"

namespace davit::postgres {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(20);
constexpr absl::Duration kLongestPause = absl::Milliseconds(250);

// Whether the server is gone, starting or stopping. libpqxx tells no SQLSTATE of a failed connect; this asks anew.
bool IsAway(const std::string& conninfo) {
  const PGPing answer = PQping(conninfo.c_str());
  return answer == PQPING_REJECT || answer == PQPING_NO_RESPONSE;
}

}  // namespace

Connector::Connector(std::string conninfo, absl::Duration patience, Clock& clock)
    : conninfo_(std::move(conninfo)), patience_(patience), clock_(clock) {}

absl::StatusOr<std::unique_ptr<Connection>> Connector::Connect() {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Connect(conninfo_);
  if (connection.ok()) NoteThere();
  return connection;
}

absl::StatusOr<std::unique_ptr<Connection>> Connector::ConnectPatiently() {
  Backoff backoff(kFirstPause, kLongestPause, 2, 0.3, random_);
  while (true) {
    const absl::Duration began = clock_.Monotonic();
    absl::StatusOr<std::unique_ptr<Connection>> connection = Connect();
    if (connection.ok() || IsPatienceOver(began)) return connection;
    if (!IsAway(conninfo_)) {
      NoteThere();
      // It may have come back only after the try: what it says now counts.
      return Connect();
    }
    NoteAway(began, connection.status());
    clock_.SleepFor(backoff.Next());
  }
}

absl::Status Connector::Outage() const {
  absl::MutexLock lock(&mutex_);
  return failure_;
}

bool Connector::IsPatienceOver(absl::Duration began) const {
  absl::MutexLock lock(&mutex_);
  return clock_.Monotonic() - away_since_.value_or(began) >= patience_;
}

void Connector::NoteAway(absl::Duration began, const absl::Status& failure) {
  absl::MutexLock lock(&mutex_);
  if (!away_since_.has_value()) away_since_ = began;
  failure_ = failure;
}

void Connector::NoteThere() {
  absl::MutexLock lock(&mutex_);
  away_since_.reset();
  failure_ = absl::OkStatus();
}

}  // namespace davit::postgres
