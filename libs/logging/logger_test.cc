// Tests of logger.h.
#include "libs/logging/logger.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libs/logging/testing/captured_log.h"

namespace davit {
namespace {

struct FakeSecret {
  std::string Reveal() const { return "hunter2"; }
};

nlohmann::json OnlyLine(const CapturedLog& log) {
  EXPECT_EQ(log.lines().size(), 1u);
  return nlohmann::json::parse(log.lines().at(0));
}

TEST(LoggerTest, ALineIsJsonWithTimeLevelServiceMessageAndTypedFields) {
  CapturedLog log;
  log.logger().Info("claimed build", {{"build", "bld_1"},
                                      {"fence", int64_t{7}},
                                      {"took", absl::Milliseconds(1500)},
                                      {"reused", false},
                                      {"status", absl::NotFoundError("no such ref")}});
  const nlohmann::json line = OnlyLine(log);
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["service"], "test");
  EXPECT_EQ(line["msg"], "claimed build");
  EXPECT_EQ(line["build"], "bld_1");
  EXPECT_EQ(line["fence"], 7);
  EXPECT_EQ(line["took"], 1.5);
  EXPECT_EQ(line["reused"], false);
  EXPECT_EQ(line["status"], "NOT_FOUND: no such ref");
  EXPECT_EQ(line["ts"].get<std::string>().size(), std::string("2026-01-01T00:00:00.000000Z").size());
}

TEST(LoggerTest, FieldsOfWithAreOnEveryLine) {
  CapturedLog log;
  const Logger logger = log.logger().With({{"request", "req_1"}}).With({{"method", "Get"}});
  logger.ForService("scheduler").Error("failed");
  const nlohmann::json line = OnlyLine(log);
  EXPECT_EQ(line["request"], "req_1");
  EXPECT_EQ(line["method"], "Get");
  EXPECT_EQ(line["service"], "scheduler");
}

TEST(LoggerTest, ASecretIsNeverWritten) {
  CapturedLog log;
  log.logger().Warning("using", {{"token", FakeSecret()}});
  EXPECT_EQ(OnlyLine(log)["token"], "[secret]");
  EXPECT_FALSE(log.Contains("hunter2"));
}

TEST(LoggerTest, AMessageCannotForgeALine) {
  CapturedLog log;
  log.logger().Info("a\n{\"level\":\"error\"}\xff", {{"k\"", "v\n"}});
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_EQ(log.lines()[0].find('\n'), std::string::npos);
  EXPECT_EQ(OnlyLine(log)["level"], "info");
}

TEST(LoggerTest, LinesBelowTheLevelAreDropped) {
  int lines = 0;
  const Logger logger("test", LogLevel::kWarning, [&lines](const std::string&) { ++lines; });
  logger.Debug("no");
  logger.Info("no");
  logger.Warning("yes");
  Logger::Discarding().Error("no");
  EXPECT_EQ(lines, 1);
}

TEST(LoggerTest, LevelsAreReadByName) {
  EXPECT_EQ(*ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(*ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("loud").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit
