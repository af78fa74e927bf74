// The parameters of a request's query. A value; share copies between threads.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::http {

// Undoes percent-encoding; with `plus_is_space`, as forms encode, "+" too. A "%" that encodes nothing stays.
enum class Plus { kIsPlus, kIsSpace };
std::string PercentDecode(absl::string_view text, Plus plus);

class Query {
 public:
  // Reads "a=1&b=x%20y" (application/x-www-form-urlencoded); of a name that occurs twice the first counts.
  explicit Query(absl::string_view text);

  // The value, or "" when there is none.
  std::string Get(absl::string_view name) const;

  // The value as a number from 0 on, or 0 when there is none. INVALID_ARGUMENT `NAME: expected a number from 0 on`.
  absl::StatusOr<int64_t> GetNumber(absl::string_view name) const;

 private:
  absl::flat_hash_map<std::string, std::string> values_;
};

}  // namespace davit::http
