// Implements logger.h over spdlog's thread-safe sinks.
#include "libs/logging/logger.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace davit {
namespace {

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// Invalid UTF-8 in a message must not lose the line: it is replaced.
std::string Json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void AppendMember(std::string& out, absl::string_view key, const nlohmann::json& value) {
  absl::StrAppend(&out, ",", Json(std::string(key)), ":", Json(value));
}

void AppendFields(std::string& out, std::initializer_list<LogField> fields) {
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { AppendMember(out, field.key(), value); }, field.value());
  }
}

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == LevelName(level)) return level;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level is one of debug, info, warning and error, not \"", text, "\""));
}

Logger Logger::ToStderr(absl::string_view service, LogLevel level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto lines = std::make_shared<spdlog::logger>("davit", std::move(sink));
  lines->set_pattern("%v");
  lines->set_level(spdlog::level::trace);
  lines->flush_on(spdlog::level::trace);
  return Logger(service, level, [lines](const std::string& line) { lines->log(spdlog::level::info, "{}", line); });
}

Logger::Logger(absl::string_view service, LogLevel level, Destination destination)
    : service_(service), level_(level), destination_(std::make_shared<const Destination>(std::move(destination))) {}

Logger Logger::Discarding() { return Logger(); }

Logger Logger::With(std::initializer_list<LogField> fields) const {
  Logger extended = *this;
  AppendFields(extended.context_, fields);
  return extended;
}

Logger Logger::ForService(absl::string_view service) const {
  Logger renamed = *this;
  renamed.service_ = std::string(service);
  return renamed;
}

void Logger::Write(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) const {
  if (!Writes(level)) return;
  std::string line =
      absl::StrCat("{\"ts\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone()), "\"");
  AppendMember(line, "level", std::string(LevelName(level)));
  AppendMember(line, "service", service_);
  AppendMember(line, "msg", std::string(message));
  line += context_;
  AppendFields(line, fields);
  line += '}';
  (*destination_)(line);
}

}  // namespace davit
