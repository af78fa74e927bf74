// Structured logs: one JSON object per line. Loggers are values that are passed by constructor and are cheap to copy.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Reads "debug", "info", "warning" or "error"; anything else is INVALID_ARGUMENT.
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text);

// One key and value of a log line. Values are text, numbers, booleans, durations (as seconds) and statuses (as
// "CODE: message"). A type that has Reveal(), as SecretString does, is always written as "[secret]".
class LogField {
 public:
  using Value = std::variant<std::string, int64_t, uint64_t, double, bool>;

  LogField(absl::string_view key, const char* value) : key_(key), value_(std::string(value)) {}
  LogField(absl::string_view key, const std::string& value) : key_(key), value_(value) {}
  LogField(absl::string_view key, absl::string_view value) : key_(key), value_(std::string(value)) {}
  LogField(absl::string_view key, std::string_view value) : key_(key), value_(std::string(value)) {}
  LogField(absl::string_view key, absl::Duration value) : key_(key), value_(absl::ToDoubleSeconds(value)) {}
  LogField(absl::string_view key, absl::Time value) : key_(key), value_(absl::FormatTime(value, absl::UTCTimeZone())) {}
  LogField(absl::string_view key, const absl::Status& value) : key_(key), value_(value.ToString()) {}
  template <std::integral T>
  LogField(absl::string_view key, T value) : key_(key) {
    if constexpr (std::same_as<T, bool>) {
      value_ = value;
    } else if constexpr (std::signed_integral<T>) {
      value_ = static_cast<int64_t>(value);
    } else {
      value_ = static_cast<uint64_t>(value);
    }
  }
  template <std::floating_point T>
  LogField(absl::string_view key, T value) : key_(key), value_(static_cast<double>(value)) {}
  template <typename T>
  requires requires(const T& secret) { secret.Reveal(); }
  LogField(absl::string_view key, const T&) : key_(key), value_(std::string("[secret]")) {}

  const std::string& key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  std::string key_;
  Value value_;
};

// Writes log lines such as {"ts":"…","level":"info","service":"scheduler","msg":"claimed build","build":"bld_…"}.
// Thread-safe; copies share the destination.
class Logger {
 public:
  // Receives each finished line, without the newline; called from any thread.
  using Destination = std::function<void(const std::string& line)>;

  // Logs to the process's standard error. Lines below `level` are dropped.
  static Logger ToStderr(absl::string_view service, LogLevel level);

  // Logs to `destination`, for tests and embedding.
  Logger(absl::string_view service, LogLevel level, Destination destination);

  // Drops everything.
  static Logger Discarding();

  // A logger that adds `fields` to every line.
  Logger With(std::initializer_list<LogField> fields) const;

  // A logger that names another service, for several services in one process.
  Logger ForService(absl::string_view service) const;

  void Debug(absl::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kDebug, message, fields);
  }
  void Info(absl::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warning(absl::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kWarning, message, fields);
  }
  void Error(absl::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kError, message, fields);
  }
  // Whether lines of this level are written: for who has much to say.
  bool Writes(LogLevel level) const { return destination_ != nullptr && level >= level_; }
  void Write(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  Logger() = default;

  std::string service_;
  LogLevel level_ = LogLevel::kError;
  std::shared_ptr<const Destination> destination_;  // Null when everything is dropped.
  std::string context_;                             // The fields of With() as JSON members: `,"key":value…`.
};

}  // namespace davit
