// A list of HTTP header fields with case-insensitive names, as client and server both use it. A value type: share
// copies, not references, between threads.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace davit::http {

// Header fields in the order in which they were added or received. Names compare without regard to case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  // Appends a field; an existing one of the same name stays.
  void Add(absl::string_view name, absl::string_view value);

  // Replaces every field of that name with one.
  void Set(absl::string_view name, absl::string_view value);

  // Removes every field of that name.
  void Remove(absl::string_view name);

  // The value of the first field of that name; null when there is none. Valid until the fields change.
  const std::string* Find(absl::string_view name) const;

  // A copy of the value of the first field of that name.
  std::optional<std::string> Get(absl::string_view name) const;

  // Whether a field of that name exists.
  bool Has(absl::string_view name) const;

  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// The value of an Authorization header for HTTP Basic (RFC 7617).
std::string BasicAuthorization(absl::string_view username, absl::string_view password);

// The value of an Authorization header for a bearer token (RFC 6750).
std::string BearerAuthorization(absl::string_view token);

}  // namespace davit::http
