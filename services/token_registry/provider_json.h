// Reading providers' JSON without surprises: what is missing or of another type reads as empty. Pure functions; any
// thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace davit::token_registry {

// Parses a body; what is not JSON reads as null.
inline nlohmann::json ParseJson(const std::string& body) {
  nlohmann::json value = nlohmann::json::parse(body, nullptr, false);
  return value.is_discarded() ? nlohmann::json() : value;
}

// A member of an object, or null.
inline nlohmann::json Member(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nlohmann::json() : *found;
}

// A text member of an object, or "".
inline std::string Text(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = Member(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

// Whether a member of an object is `true`.
inline bool Flag(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = Member(object, key);
  return value.is_boolean() && value.get<bool>();
}

// An integer or text member, as ids are, or "".
inline std::string IdText(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = Member(object, key);
  if (value.is_number_integer()) return std::to_string(value.get<int64_t>());
  return value.is_string() ? value.get<std::string>() : "";
}

// The text of a JSON value to send; bytes that are not UTF-8 are replaced.
inline std::string ToBody(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace davit::token_registry
