// The values that a statement's $1, $2, … take, in PostgreSQL's text form. Values only; no threads.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace davit::postgres {

// Marks text as the raw bytes of a bytea parameter: Bytes{view}. It refers to the caller's memory.
struct Bytes {
  absl::string_view value;
};

// One parameter: null or text. Conversions are implicit so that Transaction::Execute takes plain C++ values. Supported:
// text, integers, double, bool, absl::Time (timestamptz), absl::Duration (interval), Bytes (bytea), std::optional and
// std::nullopt of them (null), and vectors of text, of Bytes, of integers or of times (arrays, for
// `unnest($1::text[])`).
class Parameter {
 public:
  Parameter(std::nullopt_t) {}                                     // NOLINT(google-explicit-constructor)
  Parameter(std::string text) : text_(std::move(text)) {}          // NOLINT(google-explicit-constructor)
  Parameter(absl::string_view text) : text_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
  Parameter(std::string_view text) : text_(std::string(text)) {}   // NOLINT(google-explicit-constructor)
  Parameter(const char* text) : text_(std::string(text)) {}        // NOLINT(google-explicit-constructor)
  Parameter(bool value) : text_(value ? "true" : "false") {}       // NOLINT(google-explicit-constructor)
  Parameter(absl::Time time);                                      // NOLINT(google-explicit-constructor)
  Parameter(absl::Duration duration);                              // NOLINT(google-explicit-constructor)
  Parameter(Bytes bytes);                                          // NOLINT(google-explicit-constructor)
  Parameter(double value);                                         // NOLINT(google-explicit-constructor)
  Parameter(const std::vector<std::string>& texts);                // NOLINT(google-explicit-constructor)
  Parameter(const std::vector<Bytes>& values);                     // NOLINT(google-explicit-constructor)
  Parameter(const std::vector<int64_t>& integers);                 // NOLINT(google-explicit-constructor)
  Parameter(const std::vector<int32_t>& integers);                 // NOLINT(google-explicit-constructor)
  Parameter(const std::vector<absl::Time>& times);                 // NOLINT(google-explicit-constructor)

  template <std::integral Integer>
  // NOLINTNEXTLINE(google-explicit-constructor)
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>) Parameter(Integer value)
      : text_(absl::StrCat(value)) {}

  template <typename Value>
  Parameter(const std::optional<Value>& value) {  // NOLINT(google-explicit-constructor)
    if (value.has_value()) *this = Parameter(*value);
  }

  // The text, or nullopt for null.
  const std::optional<std::string>& text() const { return text_; }

 private:
  std::optional<std::string> text_;
};

}  // namespace davit::postgres
