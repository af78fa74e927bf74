// Reads, changes and writes libpq connection strings. Stateless; usable from any thread.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::postgres {

// The settings of a connection string (key=value text or URI). INVALID_ARGUMENT, without quoting it, when libpq cannot
// read it: it may hold a password.
absl::StatusOr<std::map<std::string, std::string>> ParseConninfo(absl::string_view conninfo);

// The settings as key='value' text.
std::string FormatConninfo(const std::map<std::string, std::string>& settings);

}  // namespace davit::postgres
