// Implements conninfo.h.
#include "libs/postgres/conninfo.h"

#include <postgresql/libpq-fe.h>

#include <memory>

#include "absl/strings/str_cat.h"

namespace davit::postgres {

absl::StatusOr<std::map<std::string, std::string>> ParseConninfo(absl::string_view conninfo) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(std::string(conninfo).c_str(), &error), &PQconninfoFree);
  PQfreemem(error);
  if (options == nullptr) {
    return absl::InvalidArgumentError(
        "database: not a PostgreSQL connection string; use key=value text or a postgresql:// URI");
  }
  std::map<std::string, std::string> settings;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  return settings;
}

std::string FormatConninfo(const std::map<std::string, std::string>& settings) {
  std::string text;
  for (const auto& [key, value] : settings) {
    absl::StrAppend(&text, text.empty() ? "" : " ", key, "='");
    for (const char c : value) {
      if (c == '\'' || c == '\\') text.push_back('\\');
      text.push_back(c);
    }
    text.push_back('\'');
  }
  return text;
}

}  // namespace davit::postgres
