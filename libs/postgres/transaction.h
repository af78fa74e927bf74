// A running database transaction, as Pool::Transact hands it to its function. Used by one thread, only during that
// call.
#pragma once

#include <initializer_list>
#include <pqxx/pqxx>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/postgres/parameter.h"
#include "libs/postgres/statement.h"

namespace davit::postgres {

class Connection;

// Executes prepared statements inside one transaction. After a statement failed the transaction can only end: return
// the status.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Executes a statement with its parameters $1, $2, … in order; it is prepared once per connection. Errors are
  // converted as error.h says.
  template <typename... Args>
  absl::StatusOr<pqxx::result> Execute(const Statement& statement, Args&&... args) {
    if constexpr (sizeof...(Args) == 0) {
      return ExecutePrepared(statement, {});
    } else {
      const Parameter parameters[] = {Parameter(std::forward<Args>(args))...};
      return ExecutePrepared(statement, absl::MakeConstSpan(parameters));
    }
  }

  // The same with parameters that are known only at run time.
  absl::StatusOr<pqxx::result> ExecutePrepared(const Statement& statement, absl::Span<const Parameter> parameters);

  // Runs statement text that takes no parameters and may hold several statements separated by semicolons (migrations).
  absl::Status ExecuteScript(const char* text);

 private:
  friend class Connection;
  Transaction(Connection& connection, pqxx::transaction_base& transaction)
      : connection_(connection), transaction_(transaction) {}

  Connection& connection_;
  pqxx::transaction_base& transaction_;
};

// Reads a timestamptz column (the pool's connections use ISO dates in UTC): infinity becomes absl::InfiniteFuture(),
// null and anything else that is no time become `otherwise`.
absl::Time ReadTime(const pqxx::field& field, absl::Time otherwise = absl::InfinitePast());

// Reads a bytea column; null becomes empty.
std::string ReadBytes(const pqxx::field& field);

// Reads a text column; null becomes empty.
std::string ReadText(const pqxx::field& field);

// Reads a text column that may be null.
std::optional<std::string> ReadOptionalText(const pqxx::field& field);

}  // namespace davit::postgres
