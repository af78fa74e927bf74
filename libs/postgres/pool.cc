// Implements pool.h.
#include "libs/postgres/pool.h"

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "libs/clock/clock.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/connector.h"
#include "libs/postgres/conninfo.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::postgres {
namespace {

constexpr int kMaxAttempts = 5;

// The conninfo of the pool's connections: the caller's, plus time-outs and the formats that transaction.h relies on.
absl::StatusOr<std::string> SessionConninfo(const PoolOptions& options) {
  DAVIT_ASSIGN_OR_RETURN(auto settings, ParseConninfo(options.conninfo));
  settings["application_name"] = options.application_name;
  settings["client_encoding"] = "UTF8";
  settings.emplace("connect_timeout", "5");
  settings.emplace("tcp_user_timeout", "15000");
  settings.emplace("keepalives_idle", "30");
  absl::StrAppend(
      &settings["options"], " -c statement_timeout=", absl::ToInt64Milliseconds(options.statement_timeout),
      " -c idle_in_transaction_session_timeout=", absl::ToInt64Milliseconds(options.idle_in_transaction_timeout),
      " -c timezone=UTC -c datestyle=ISO -c bytea_output=hex");
  return FormatConninfo(settings);
}

}  // namespace

// The connections: idle ones are kept here, busy ones belong to the thread that runs a transaction.
class Pool::Core {
 public:
  Core(PoolOptions options, std::string conninfo)
      : options_(std::move(options)), connector_(std::move(conninfo), options_.outage_patience, clock_) {}

  // Makes the first connection.
  absl::Status Open() ABSL_LOCKS_EXCLUDED(mutex_) {
    DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<Connection> first, connector_.Connect());
    absl::MutexLock lock(&mutex_);
    idle_.push_back(std::move(first));
    return absl::OkStatus();
  }

  // Waits for a place, then takes an idle connection or makes one. Every success is followed by Release.
  absl::StatusOr<std::unique_ptr<Connection>> Acquire() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<std::unique_ptr<Connection>> dropped;
    {
      absl::MutexLock lock(&mutex_);
      const auto has_room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return busy_ < options_.max_connections; };
      if (!mutex_.AwaitWithTimeout(absl::Condition(&has_room), options_.acquire_timeout)) {
        DAVIT_RETURN_IF_ERROR(connector_.Outage());
        return absl::ResourceExhaustedError(absl::StrCat("No database connection became free within ",
                                                         absl::FormatDuration(options_.acquire_timeout), "; all ",
                                                         options_.max_connections, " are busy"));
      }
      ++busy_;
      while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        if (!connection->IsStale()) return connection;
        dropped.push_back(std::move(connection));
      }
    }
    absl::StatusOr<std::unique_ptr<Connection>> connection = connector_.ConnectPatiently();
    if (!connection.ok()) {
      absl::MutexLock lock(&mutex_);
      --busy_;
    }
    return connection;
  }

  // Gives a connection back. When it broke, the idle ones go too: a restarted server has dropped them all.
  void Release(std::unique_ptr<Connection> connection) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<std::unique_ptr<Connection>> dropped;
    absl::MutexLock lock(&mutex_);
    --busy_;
    if (connection->broken()) {
      dropped.swap(idle_);
      dropped.push_back(std::move(connection));
    } else {
      idle_.push_back(std::move(connection));
    }
  }

 private:
  const PoolOptions options_;
  RealClock clock_;
  Connector connector_;
  absl::Mutex mutex_;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<Pool>> Pool::Open(PoolOptions options) {
  if (options.max_connections < 1) return absl::InvalidArgumentError("max_connections: must be at least 1");
  DAVIT_ASSIGN_OR_RETURN(std::string conninfo, SessionConninfo(options));
  auto core = std::make_unique<Core>(std::move(options), std::move(conninfo));
  DAVIT_RETURN_IF_ERROR(Annotate(core->Open(), "Failed to open the database"));
  return std::unique_ptr<Pool>(new Pool(std::move(core)));
}

Pool::Pool(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Pool::~Pool() = default;

absl::Status Pool::RunErased(const Scope& scope, Access access, absl::FunctionRef<absl::Status(Transaction*)> fn) {
  return Repeat([&](Connection* connection) {
    return access == Access::kRead ? connection->AttemptRead(scope, fn) : connection->Attempt(scope, fn);
  });
}

absl::StatusOr<pqxx::result> Pool::ExecuteAlone(const Scope& scope, const Statement& statement,
                                                absl::Span<const Parameter> parameters) {
  pqxx::result rows;
  const absl::Status status =
      Repeat([&](Connection* connection) { return connection->AttemptAlone(scope, statement, parameters, rows); });
  if (!status.ok()) return status;
  return rows;
}

absl::Status Pool::Repeat(absl::FunctionRef<AttemptResult(Connection*)> attempt) {
  AttemptResult result;
  for (int attempts = 1; attempts <= kMaxAttempts; ++attempts) {
    DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, core_->Acquire());
    result = attempt(connection.get());
    core_->Release(std::move(connection));
    if (result.status.ok() || result.repeat == AttemptResult::Repeat::kNo) break;
    // Lets the transaction that won finish first.
    if (attempts > 1) absl::SleepFor(absl::Milliseconds(2 << attempts));
  }
  return result.status;
}

}  // namespace davit::postgres
