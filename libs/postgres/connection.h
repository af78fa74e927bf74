// One database connection with its prepared statements. Internal to libs/postgres. Used by one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/postgres/parameter.h"
#include "libs/postgres/scope.h"
#include "libs/postgres/statement.h"

namespace davit::postgres {

class Transaction;

// What became of one attempt to run a transaction.
struct AttemptResult {
  // Whether the same work may be run again: it certainly had no effect.
  enum class Repeat { kNo, kYes };

  absl::Status status;
  Repeat repeat = Repeat::kNo;
};

// Owns a libpqxx connection. Never reconnects by itself: once broken it stays broken and its owner drops it.
class Connection {
 public:
  // Connects. Errors as error.h says (UNAVAILABLE when the server does not answer).
  static absl::StatusOr<std::unique_ptr<Connection>> Connect(const std::string& conninfo);

  // Runs `fn` in a transaction confined to `scope`; see Pool::Transact.
  AttemptResult Attempt(const Scope& scope, absl::FunctionRef<absl::Status(Transaction*)> fn);

  // The same for a `fn` that only reads; see Pool::Read.
  AttemptResult AttemptRead(const Scope& scope, absl::FunctionRef<absl::Status(Transaction*)> fn);

  // Runs a statement as a transaction of its own; see Pool::ExecuteAlone. The scope stays set in the session until
  // another one is needed: every other transaction sets its own.
  AttemptResult AttemptAlone(const Scope& scope, const Statement& statement, absl::Span<const Parameter> parameters,
                             pqxx::result& rows);

  // Runs `fn` in a transaction without a scope (migrations, provisioning).
  absl::Status Unscoped(absl::FunctionRef<absl::Status(Transaction*)> fn);

  // Whether the connection must not be used again.
  bool broken() const { return broken_; }

  // Whether the server has said something since the last transaction, which is mostly that it ends the connection: an
  // idle one is then better replaced than used.
  bool IsStale() const;

  // Executes a statement in the running transaction.
  absl::StatusOr<pqxx::result> Execute(pqxx::transaction_base& transaction, const Statement& statement,
                                       absl::Span<const Parameter> parameters);

  // Executes text without parameters in the running transaction.
  absl::Status ExecuteScript(pqxx::transaction_base& transaction, const char* text);

 private:
  explicit Connection(const std::string& conninfo);

  // Runs `fn` in the transaction, up to its commit. Nothing: it can be committed.
  std::optional<AttemptResult> Fill(pqxx::transaction_base& work, const Scope& scope,
                                    absl::FunctionRef<absl::Status(Transaction*)> fn);

  // Commits. A lost connection leaves the outcome unknown.
  AttemptResult Commit(pqxx::work& work);

  // Converts an exception and notes it, and whether the connection survived it.
  absl::Status Convert(const std::exception& exception);

  pqxx::connection connection_;
  pqxx::quiet_errorhandler silence_;             // Notices would go to stderr.
  std::map<std::string, std::string> prepared_;  // Statement name → text.
  absl::Status failure_;                         // The last failed statement of the running transaction.
  std::string session_scope_;                    // What lone statements are confined to; empty = not set.
  bool broken_ = false;
};

}  // namespace davit::postgres
