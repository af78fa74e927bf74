// Connections to PostgreSQL and the transactions on them. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/postgres/parameter.h"
#include "libs/postgres/scope.h"
#include "libs/postgres/statement.h"

namespace pqxx {
class result;
}

namespace davit::postgres {

class Connection;
class Transaction;
struct AttemptResult;

// How a pool connects.
struct PoolOptions {
  // libpq's key=value text or a postgresql:// URI, of the service's application role.
  std::string conninfo;
  // Connections at most; they are made when needed and kept.
  int max_connections = 8;
  // How long a transaction may wait for a free connection before it gets RESOURCE_EXHAUSTED.
  absl::Duration acquire_timeout = absl::Seconds(5);
  // How long transactions wait for a server that is away, as one that is being restarted is: nobody listens, or it says
  // that it is starting or shutting down. Counted from the first try that failed, for all callers together: while the
  // server stays away for longer, each further transaction tries once and gets UNAVAILABLE at once. Shorter than the
  // time that a caller from another service waits for its answer. Zero: nothing is waited for.
  absl::Duration outage_patience = absl::Seconds(5);
  // How long one statement may run (the server ends it, DEADLINE_EXCEEDED).
  absl::Duration statement_timeout = absl::Seconds(30);
  // How long a connection may idle inside a transaction before the server drops it.
  absl::Duration idle_in_transaction_timeout = absl::Seconds(30);
  // Shown in pg_stat_activity.
  std::string application_name = "davit";
};

// A bounded set of connections. A broken connection is dropped and the next transaction makes a new one, and waits for
// the server if it is not there yet: a server that is restarted within PoolOptions::outage_patience is not noticed but
// by transactions that were about to commit (see Transact).
class Pool {
 public:
  // Makes the pool and its first connection, so that wrong settings show at start: tries once, whatever the patience.
  // Errors: UNAVAILABLE when the server does not answer, INVALID_ARGUMENT when the conninfo cannot be read.
  static absl::StatusOr<std::unique_ptr<Pool>> Open(PoolOptions options);

  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs `fn(Transaction&)`, which returns absl::Status or absl::StatusOr<T>, in one READ COMMITTED transaction
  // confined to `scope`: commits when fn returns OK, else rolls back and returns fn's status. On a serialization
  // failure, a deadlock or a connection that broke before the commit, the whole of fn runs again (five times at most):
  // it must have no effect outside the transaction but through its result. A commit whose outcome is unknown gives
  // UNAVAILABLE and is not repeated.
  template <typename F>
  auto Transact(const Scope& scope, F fn) -> std::invoke_result_t<F&, Transaction&> {
    return Run(scope, Access::kWrite, fn);
  }

  // As Transact, for an fn that only reads: all of its statements see the database as it is at the first of them
  // (REPEATABLE READ, READ ONLY), and there is no commit whose outcome could matter.
  template <typename F>
  auto Read(const Scope& scope, F fn) -> std::invoke_result_t<F&, Transaction&> {
    return Run(scope, Access::kRead, fn);
  }

  // Runs one statement as a transaction of its own, confined to `scope`, in a single round trip: for the few statements
  // of which there are very many. What a connection that breaks has done is unknown then: UNAVAILABLE, and it is not
  // repeated. Else as Transact.
  absl::StatusOr<pqxx::result> ExecuteAlone(const Scope& scope, const Statement& statement,
                                            absl::Span<const Parameter> parameters);

 private:
  class Core;
  enum class Access { kRead, kWrite };

  explicit Pool(std::unique_ptr<Core> core);

  template <typename F>
  auto Run(const Scope& scope, Access access, F& fn) -> std::invoke_result_t<F&, Transaction&> {
    using Result = std::invoke_result_t<F&, Transaction&>;
    if constexpr (std::is_same_v<Result, absl::Status>) {
      return RunErased(scope, access, [&fn](Transaction* transaction) { return fn(*transaction); });
    } else {
      Result result = absl::UnknownError("transaction did not run");
      const absl::Status status = RunErased(scope, access, [&fn, &result](Transaction* transaction) {
        result = fn(*transaction);
        return result.status();
      });
      if (!status.ok()) return status;
      return result;
    }
  }
  absl::Status RunErased(const Scope& scope, Access access, absl::FunctionRef<absl::Status(Transaction*)> fn);
  // Makes attempts on free connections until one settles it.
  absl::Status Repeat(absl::FunctionRef<AttemptResult(Connection*)> attempt);

  std::unique_ptr<Core> core_;
};

}  // namespace davit::postgres
