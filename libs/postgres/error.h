// Turns libpqxx's exceptions into statuses: the one place that does. Owns nothing; usable from any thread.
#pragma once

#include <exception>
#include <string>

#include "absl/status/status.h"

namespace davit::postgres {

// Converts an exception that libpqxx (or a conversion of a field) threw. The message is the server's primary message
// only: never its DETAIL, which can quote a row, nor the statement. Codes:
//   40001, 40P01 (serialization failure, deadlock)   ABORTED
//   23505 (unique)                                   ALREADY_EXISTS
//   23503 (foreign key), 23001, 55000                FAILED_PRECONDITION
//   23502, 23514 (not null, check), class 22         INVALID_ARGUMENT
//   42501 (privilege or row-level security)          PERMISSION_DENIED
//   57014 (statement_timeout), 55P03                 DEADLINE_EXCEEDED
//   class 08, 57P01..57P05, 53300, lost connection,
//   commit whose outcome is unknown                  UNAVAILABLE
//   the rest of class 53 (disk, memory)              RESOURCE_EXHAUSTED
//   anything else                                    INTERNAL
absl::Status StatusFromException(const std::exception& exception);

// The SQLSTATE that a status carries (in a payload), or "".
std::string SqlState(const absl::Status& status);

// The name of the constraint or unique index that a statement violated, or "": lets a service say which field was
// wrong.
std::string ViolatedConstraint(const absl::Status& status);

}  // namespace davit::postgres
