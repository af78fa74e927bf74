// Implements connection.h and transaction.h.
#include "libs/postgres/connection.h"

#include <poll.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/postgres/error.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"

// What libpqxx needs to pass a Parameter on.
namespace pqxx {
template <>
struct string_traits<davit::postgres::Parameter> {
  static constexpr const char* name() noexcept { return "davit::postgres::Parameter"; }
  static constexpr bool has_null() noexcept { return true; }
  static bool is_null(const davit::postgres::Parameter& parameter) { return !parameter.text().has_value(); }
  static std::string to_string(const davit::postgres::Parameter& parameter) { return *parameter.text(); }
};
}  // namespace pqxx

namespace davit::postgres {
namespace {

constexpr Statement kSetSessionScope = {"davit_set_session_scope", "select set_config('davit.project', $1, false)"};
constexpr Statement kSetScope = {"davit_set_scope", "select set_config('davit.project', $1, true)"};

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Connect(const std::string& conninfo) {
  try {
    return std::unique_ptr<Connection>(new Connection(conninfo));
  } catch (const std::exception& exception) {
    return StatusFromException(exception);
  }
}

Connection::Connection(const std::string& conninfo) : connection_(conninfo), silence_(connection_) {
  // Errors then hold the primary message alone; a DETAIL line can quote rows.
  connection_.set_verbosity(pqxx::connection_base::terse);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection_.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

bool Connection::IsStale() const {
  pollfd readable = {.fd = connection_.sock(), .events = POLLIN, .revents = 0};
  return poll(&readable, 1, 0) != 0;
}

AttemptResult Connection::Attempt(const Scope& scope, absl::FunctionRef<absl::Status(Transaction*)> fn) {
  if (!scope.IsValid()) return {absl::InternalError("A project's transaction needs the project's name"), {}};
  AttemptResult::Repeat repeatable = AttemptResult::Repeat::kYes;
  failure_ = absl::OkStatus();
  try {
    pqxx::work work(connection_);
    if (std::optional<AttemptResult> ended = Fill(work, scope, fn)) return *std::move(ended);
    repeatable = AttemptResult::Repeat::kNo;
    return Commit(work);
  } catch (const std::exception& exception) {
    const absl::Status status = Convert(exception);
    return {status, broken_ ? repeatable : AttemptResult::Repeat::kNo};
  }
}

AttemptResult Connection::AttemptRead(const Scope& scope, absl::FunctionRef<absl::Status(Transaction*)> fn) {
  if (!scope.IsValid()) return {absl::InternalError("A project's transaction needs the project's name"), {}};
  failure_ = absl::OkStatus();
  try {
    pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> work(connection_);
    if (std::optional<AttemptResult> ended = Fill(work, scope, fn)) return *std::move(ended);
    work.commit();
    return {absl::OkStatus(), AttemptResult::Repeat::kNo};
  } catch (const std::exception& exception) {
    const absl::Status status = Convert(exception);
    return {status, broken_ ? AttemptResult::Repeat::kYes : AttemptResult::Repeat::kNo};
  }
}

std::optional<AttemptResult> Connection::Fill(pqxx::transaction_base& work, const Scope& scope,
                                              absl::FunctionRef<absl::Status(Transaction*)> fn) {
  Transaction transaction(*this, work);
  absl::Status status = transaction.Execute(kSetScope, scope.setting()).status();
  if (status.ok()) status = fn(&transaction);
  // The server undoes a transaction in which a statement failed, whatever fn made of the failure.
  if (status.ok()) status = failure_;
  if (status.ok()) return std::nullopt;
  const bool transient = broken_ || SqlState(status) == "40001" || SqlState(status) == "40P01";
  return AttemptResult{status, transient ? AttemptResult::Repeat::kYes : AttemptResult::Repeat::kNo};
}

AttemptResult Connection::AttemptAlone(const Scope& scope, const Statement& statement,
                                       absl::Span<const Parameter> parameters, pqxx::result& rows) {
  if (!scope.IsValid()) return {absl::InternalError("A project's transaction needs the project's name"), {}};
  AttemptResult::Repeat repeatable = AttemptResult::Repeat::kYes;
  try {
    pqxx::nontransaction alone(connection_);
    if (session_scope_ != scope.setting()) {
      session_scope_.clear();
      const Parameter setting(scope.setting());
      const absl::Status set = Execute(alone, kSetSessionScope, absl::MakeConstSpan(&setting, 1)).status();
      if (!set.ok()) return {set, broken_ ? AttemptResult::Repeat::kYes : AttemptResult::Repeat::kNo};
      session_scope_ = scope.setting();
    }
    repeatable = AttemptResult::Repeat::kNo;
    absl::StatusOr<pqxx::result> executed = Execute(alone, statement, parameters);
    if (executed.ok()) {
      rows = *std::move(executed);
      return {absl::OkStatus(), AttemptResult::Repeat::kNo};
    }
    if (broken_) {
      return {absl::UnavailableError("Lost the database during a statement: its outcome is unknown"), {}};
    }
    const bool transient = SqlState(executed.status()) == "40001" || SqlState(executed.status()) == "40P01";
    return {executed.status(), transient ? AttemptResult::Repeat::kYes : AttemptResult::Repeat::kNo};
  } catch (const std::exception& exception) {
    const absl::Status status = Convert(exception);
    return {status, broken_ ? repeatable : AttemptResult::Repeat::kNo};
  }
}

AttemptResult Connection::Commit(pqxx::work& work) {
  try {
    work.commit();
    return {absl::OkStatus(), AttemptResult::Repeat::kNo};
  } catch (const std::exception& exception) {
    const absl::Status status = Convert(exception);
    if (broken_) {
      return {absl::UnavailableError("Lost the database during a commit: its outcome is unknown"),
              AttemptResult::Repeat::kNo};
    }
    return {status, absl::IsAborted(status) ? AttemptResult::Repeat::kYes : AttemptResult::Repeat::kNo};
  }
}

absl::Status Connection::Unscoped(absl::FunctionRef<absl::Status(Transaction*)> fn) {
  try {
    pqxx::work work(connection_);
    Transaction transaction(*this, work);
    failure_ = absl::OkStatus();
    DAVIT_RETURN_IF_ERROR(fn(&transaction));
    DAVIT_RETURN_IF_ERROR(failure_);
    work.commit();
    return absl::OkStatus();
  } catch (const std::exception& exception) {
    return Convert(exception);
  }
}

absl::StatusOr<pqxx::result> Connection::Execute(pqxx::transaction_base& transaction, const Statement& statement,
                                                 absl::Span<const Parameter> parameters) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].text().has_value() && absl::StrContains(*parameters[i].text(), '\0')) {
      return absl::InvalidArgumentError("text must not contain a NUL byte");
    }
  }
  try {
    const auto [it, is_new] = prepared_.try_emplace(statement.name, statement.text);
    if (is_new) {
      connection_.prepare(statement.name, statement.text);
    } else if (it->second != statement.text) {
      return absl::InternalError(absl::StrCat("Two statements are called ", statement.name));
    }
    return transaction.exec_prepared(statement.name,
                                     pqxx::prepare::make_dynamic_params(parameters.begin(), parameters.end()));
  } catch (const std::exception& exception) {
    return Convert(exception);
  }
}

absl::Status Connection::ExecuteScript(pqxx::transaction_base& transaction, const char* text) {
  try {
    transaction.exec(text);
    return absl::OkStatus();
  } catch (const std::exception& exception) {
    return Convert(exception);
  }
}

absl::Status Connection::Convert(const std::exception& exception) {
  absl::Status status = StatusFromException(exception);
  // A plan that a migration invalidated (0A000) is rid of with the connection that holds it.
  if (!connection_.is_open() || absl::IsUnavailable(status) ||
      absl::StrContains(status.message(), "cached plan must not change result type")) {
    broken_ = true;
  }
  failure_ = status;
  return status;
}

absl::StatusOr<pqxx::result> Transaction::ExecutePrepared(const Statement& statement,
                                                          absl::Span<const Parameter> parameters) {
  return connection_.Execute(transaction_, statement, parameters);
}

absl::Status Transaction::ExecuteScript(const char* text) { return connection_.ExecuteScript(transaction_, text); }

absl::Time ReadTime(const pqxx::field& field, absl::Time otherwise) {
  if (field.is_null()) return otherwise;
  const absl::string_view text(field.c_str(), field.size());
  if (text == "infinity") return absl::InfiniteFuture();
  if (text == "-infinity") return absl::InfinitePast();
  absl::Time time;
  std::string error;
  // In UTC the zone is "+00"; absl wants "+00:00".
  if (!absl::EndsWith(text, "+00") ||
      !absl::ParseTime("%Y-%m-%d %H:%M:%E*S%Ez", absl::StrCat(text, ":00"), &time, &error)) {
    return otherwise;
  }
  return time;
}

std::string ReadBytes(const pqxx::field& field) {
  const absl::string_view text(field.c_str(), field.size());
  return absl::StartsWith(text, "\\x") ? absl::HexStringToBytes(text.substr(2)) : std::string();
}

std::string ReadText(const pqxx::field& field) { return std::string(field.c_str(), field.size()); }

std::optional<std::string> ReadOptionalText(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return ReadText(field);
}

}  // namespace davit::postgres
