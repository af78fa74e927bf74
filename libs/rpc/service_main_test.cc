// Tests of service_main.h, service_flags.h and database_flags.h.
#include "libs/rpc/service_main.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "libs/logging/testing/captured_log.h"
#include "libs/rpc/database_flags.h"
#include "libs/rpc/service_flags.h"

ABSL_DECLARE_FLAG(std::string, token_file);
ABSL_DECLARE_FLAG(std::string, log_level);
ABSL_DECLARE_FLAG(std::string, database);

namespace davit::rpc {
namespace {

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
  std::ofstream(path) << text;
  return path;
}

absl::StatusOr<ServiceFlags> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "service");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseServiceFlags(static_cast<int>(argv.size()), argv.data(), "Serves.", "127.0.0.1:7080");
}

TEST(ShutdownSignalTest, TheFirstSignalDrainsWithADeadline) {
  ShutdownSignal signal;
  CapturedLog log;
  EXPECT_FALSE(signal.WaitFor(absl::ZeroDuration()));
  std::thread sender([] { kill(getpid(), SIGTERM); });
  absl::Time deadline;
  EXPECT_EQ(ServeUntilSignal(signal, absl::Seconds(5), log.logger(), [&](absl::Time until) { deadline = until; }), 0);
  sender.join();
  EXPECT_GT(deadline, absl::Now());
  EXPECT_TRUE(signal.WaitFor(absl::ZeroDuration()));
  EXPECT_TRUE(log.Contains("stopped"));
}

TEST(ShutdownSignalDeathTest, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        ShutdownSignal signal;
        ShutdownSignal::Trigger();
        signal.Wait();
        ShutdownSignal::Trigger();
      },
      ::testing::ExitedWithCode(130), "");
}

TEST(ReadSecretFileTest, TakesTheTextWithoutTheNewline) {
  EXPECT_EQ(ReadSecretFile(WriteFile("token", "  dvt_abc\n"))->Reveal(), "dvt_abc");
  EXPECT_EQ(ReadSecretFile(WriteFile("empty", "\n")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile(WriteFile("large", std::string(100000, 'x'))).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile("/nowhere/token").status().code(), absl::StatusCode::kNotFound);
}

TEST(ServiceFlagsTest, DefaultsComeFromTheProgramAndValuesFromTheCommandLine) {
  EXPECT_EQ(Parse({})->listen, std::vector<std::string>{"127.0.0.1:7080"});
  const std::string token = WriteFile("own_token", "dvt_own\n");
  const auto flags = Parse({"--listen=127.0.0.1:1,unix:/run/x", "--token_file=" + token, "--log_level=debug",
                            "--metrics_listen=127.0.0.1:0", "--drain_timeout=7s"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->listen, (std::vector<std::string>{"127.0.0.1:1", "unix:/run/x"}));
  EXPECT_EQ(flags->token.Reveal(), "dvt_own");
  EXPECT_EQ(flags->log_level, LogLevel::kDebug);
  EXPECT_EQ(flags->drain_timeout, absl::Seconds(7));
  metrics::Registry registry;
  EXPECT_NE(*StartExposer(*flags, registry), nullptr);
}

TEST(ServiceFlagsTest, AnErrorNamesTheFlag) {
  EXPECT_EQ(Parse({"--log_level=loud"}).status().message(),
            "--log_level: log level is one of debug, info, warning and error, not \"loud\"");
  absl::SetFlag(&FLAGS_log_level, "info");
  EXPECT_NE(Parse({"--token_file=/nowhere/token"}).status().message().find("--token_file"), std::string::npos);
  absl::SetFlag(&FLAGS_token_file, "");
  EXPECT_NE(Parse({"serve"}).status().message().find("\"serve\""), std::string::npos);
}

TEST(DatabaseFlagsTest, APasswordOnTheCommandLineIsRefused) {
  EXPECT_NE(ReadDatabaseFlags().status().message().find("--database is required"), std::string::npos);
  absl::SetFlag(&FLAGS_database, "host=db password=hunter2");
  EXPECT_EQ(ReadDatabaseFlags().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadDatabaseFlags().status().message().find("hunter2"), std::string::npos);
  absl::SetFlag(&FLAGS_database, "postgresql://davit:hunter2@db/davit");
  EXPECT_EQ(ReadDatabaseFlags().status().code(), absl::StatusCode::kInvalidArgument);
  absl::SetFlag(&FLAGS_database, "postgresql://davit@db:5432/davit");
  EXPECT_EQ(ReadDatabaseFlags()->conninfo, "postgresql://davit@db:5432/davit");
  EXPECT_EQ(ReadDatabaseFlags()->max_connections, 8);
}

}  // namespace
}  // namespace davit::rpc
