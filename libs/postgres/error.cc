// Implements error.h.
#include "libs/postgres/error.h"

#include <pqxx/pqxx>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace davit::postgres {
namespace {

constexpr absl::string_view kSqlStateUrl = "davit.dev/postgres/sqlstate";
constexpr absl::string_view kConstraintUrl = "davit.dev/postgres/constraint";

absl::StatusCode CodeOf(absl::string_view state) {
  if (state == "40001" || state == "40P01") return absl::StatusCode::kAborted;
  if (state == "23505") return absl::StatusCode::kAlreadyExists;
  if (state == "23503" || state == "23001" || state == "55000") return absl::StatusCode::kFailedPrecondition;
  if (state == "23502" || state == "23514" || absl::StartsWith(state, "22")) return absl::StatusCode::kInvalidArgument;
  if (state == "42501") return absl::StatusCode::kPermissionDenied;
  if (state == "57014" || state == "55P03") return absl::StatusCode::kDeadlineExceeded;
  if (absl::StartsWith(state, "08") || absl::StartsWith(state, "57P") || state == "53300" || state == "25P03") {
    return absl::StatusCode::kUnavailable;
  }
  if (absl::StartsWith(state, "53")) return absl::StatusCode::kResourceExhausted;
  return absl::StatusCode::kInternal;
}

// libpqxx 6.4 leaves the SQLSTATE out of some exceptions: their classes stand for it.
absl::string_view StateOf(const pqxx::sql_error& error) {
  if (!error.sqlstate().empty()) return error.sqlstate();
  const auto is = [&error]<typename Class>(Class*) { return dynamic_cast<const Class*>(&error) != nullptr; };
  if (is(static_cast<pqxx::insufficient_privilege*>(nullptr))) return "42501";
  if (is(static_cast<pqxx::unique_violation*>(nullptr))) return "23505";
  if (is(static_cast<pqxx::foreign_key_violation*>(nullptr))) return "23503";
  if (is(static_cast<pqxx::restrict_violation*>(nullptr))) return "23001";
  if (is(static_cast<pqxx::not_null_violation*>(nullptr))) return "23502";
  if (is(static_cast<pqxx::check_violation*>(nullptr))) return "23514";
  if (is(static_cast<pqxx::data_exception*>(nullptr))) return "22000";
  if (is(static_cast<pqxx::disk_full*>(nullptr))) return "53100";
  if (is(static_cast<pqxx::out_of_memory*>(nullptr))) return "53200";
  if (is(static_cast<pqxx::insufficient_resources*>(nullptr))) return "53000";
  return {};
}

// The first line of the server's message without its severity.
absl::string_view PrimaryMessage(absl::string_view message) {
  message = message.substr(0, message.find('\n'));
  for (const absl::string_view severity : {"ERROR:", "FATAL:", "PANIC:"}) {
    if (absl::ConsumePrefix(&message, severity)) break;
  }
  while (absl::ConsumePrefix(&message, " ")) {
  }
  return message;
}

// The name in: … violates unique constraint "NAME".
absl::string_view ConstraintIn(absl::string_view message) {
  const size_t at = message.find("constraint \"");
  if (at == absl::string_view::npos) return {};
  message.remove_prefix(at + absl::string_view("constraint \"").size());
  return message.substr(0, message.find('"'));
}

std::string Payload(const absl::Status& status, absl::string_view url) {
  return std::string(status.GetPayload(url).value_or(absl::Cord()));
}

}  // namespace

absl::Status StatusFromException(const std::exception& exception) {
  if (dynamic_cast<const pqxx::in_doubt_error*>(&exception) != nullptr) {
    return absl::UnavailableError("Lost the database during a commit: its outcome is unknown");
  }
  if (dynamic_cast<const pqxx::broken_connection*>(&exception) != nullptr) {
    return absl::UnavailableError(
        absl::StrCat("Lost or could not reach the database: ", PrimaryMessage(exception.what())));
  }
  if (dynamic_cast<const pqxx::serialization_failure*>(&exception) != nullptr ||
      dynamic_cast<const pqxx::deadlock_detected*>(&exception) != nullptr) {
    const bool deadlock = dynamic_cast<const pqxx::deadlock_detected*>(&exception) != nullptr;
    absl::Status status = absl::AbortedError(PrimaryMessage(exception.what()));
    status.SetPayload(kSqlStateUrl, absl::Cord(deadlock ? "40P01" : "40001"));
    return status;
  }
  if (dynamic_cast<const pqxx::statement_completion_unknown*>(&exception) != nullptr) {
    return absl::UnavailableError("The database did not say whether a statement completed");
  }
  if (const auto* error = dynamic_cast<const pqxx::sql_error*>(&exception)) {
    const absl::string_view message = PrimaryMessage(error->what());
    const absl::string_view state = StateOf(*error);
    absl::Status status(CodeOf(state), message);
    status.SetPayload(kSqlStateUrl, absl::Cord(state));
    if (const absl::string_view constraint = ConstraintIn(message); !constraint.empty()) {
      status.SetPayload(kConstraintUrl, absl::Cord(constraint));
    }
    return status;
  }
  return absl::InternalError(absl::StrCat("Database access failed: ", PrimaryMessage(exception.what())));
}

std::string SqlState(const absl::Status& status) { return Payload(status, kSqlStateUrl); }

std::string ViolatedConstraint(const absl::Status& status) { return Payload(status, kConstraintUrl); }

}  // namespace davit::postgres
