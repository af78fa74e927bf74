// Implements headers.h.
#include "libs/http/headers.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::http {

void Headers::Add(absl::string_view name, absl::string_view value) {
  fields_.emplace_back(std::string(name), std::string(value));
}

void Headers::Set(absl::string_view name, absl::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(absl::string_view name) {
  std::erase_if(fields_, [name](const Field& field) { return absl::EqualsIgnoreCase(field.first, name); });
}

const std::string* Headers::Find(absl::string_view name) const {
  for (const Field& field : fields_) {
    if (absl::EqualsIgnoreCase(field.first, name)) return &field.second;
  }
  return nullptr;
}

std::optional<std::string> Headers::Get(absl::string_view name) const {
  const std::string* value = Find(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

bool Headers::Has(absl::string_view name) const { return Find(name) != nullptr; }

std::string BasicAuthorization(absl::string_view username, absl::string_view password) {
  return absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(username, ":", password)));
}

std::string BearerAuthorization(absl::string_view token) { return absl::StrCat("Bearer ", token); }

}  // namespace davit::http
