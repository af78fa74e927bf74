// Tests of service_main.h, service_flags.h and database_flags.h.
#include "libs/rpc/service_main.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "libs/logging/testing/captured_log.h"
#include "libs/rpc/database_flags.h"
#include "libs/rpc/service_flags.h"

ABSL_DECLARE_FLAG(std::string, token_file);
ABSL_DECLARE_FLAG(std::string, log_level);
ABSL_DECLARE_FLAG(std::string, database);
ABSL_DECLARE_FLAG(std::string, database_admin);
ABSL_DECLARE_FLAG(std::string, database_owner);
ABSL_DECLARE_FLAG(std::string, database_password_file);
ABSL_DECLARE_FLAG(bool, migrate_only);

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
  absl::FlagSaver saver;
  EXPECT_EQ(Parse({"--log_level=loud"})->report.status().message(),
            "--log_level: log level is one of debug, info, warning and error, not \"loud\"");
  absl::SetFlag(&FLAGS_log_level, "info");
  const auto flags = Parse({"--token_file=/nowhere/token", "--listen=7080", "--metrics-listen=9464", "--check-config"});
  EXPECT_TRUE(flags->check_config);
  ASSERT_EQ(flags->report.problems().size(), 3u) << flags->report.status();
  EXPECT_EQ(flags->report.problems()[0].find("--listen: "), 0u);
  EXPECT_EQ(flags->report.problems()[1].find("--metrics_listen: "), 0u);
  EXPECT_EQ(flags->report.problems()[2].find("--token_file: "), 0u);
  EXPECT_NE(Parse({"serve"}).status().message().find("\"serve\""), std::string::npos);
}

TEST(ServiceFlagsTest, AMissingTokenIsNotedOnlyForWhoNeedsOne) {
  absl::FlagSaver saver;
  absl::SetFlag(&FLAGS_token_file, "");
  ServiceFlags flags;
  settings::ConfigReport report;
  NoteMissingToken(flags, "gateway", report);
  EXPECT_EQ(report.problems(),
            std::vector<std::string>{"--token_file: is required: a file with an API token of the role gateway"});
  flags.token = crypto::SecretString("dvt_own");
  settings::ConfigReport nothing;
  NoteMissingToken(flags, "gateway", nothing);
  EXPECT_TRUE(nothing.ok());
}

class DatabaseFlagsTest : public testing::Test {
 protected:
  // What is wrong with the flags as they are.
  std::string Problems() {
    settings::ConfigReport report;
    flags_ = ReadDatabaseFlags(report);
    return std::string(report.status().message());
  }

  absl::FlagSaver saver_;
  DatabaseFlags flags_;
};

TEST_F(DatabaseFlagsTest, APasswordInAFlagIsRefused) {
  EXPECT_EQ(Problems().find("--database: is required"), 0u);
  for (const char* conninfo : {"host=db password=hunter2", "postgresql://davit:hunter2@db/davit"}) {
    absl::SetFlag(&FLAGS_database, conninfo);
    EXPECT_NE(Problems().find("--database_password_file"), std::string::npos);
    EXPECT_EQ(Problems().find("hunter2"), std::string::npos);
  }
  absl::SetFlag(&FLAGS_database, "postgresql://davit@db:5432/davit");
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(flags_.conninfo, "dbname='davit' host='db' port='5432' user='davit'");
  EXPECT_EQ(flags_.max_connections, 8);
}

TEST_F(DatabaseFlagsTest, ThePasswordComesFromItsFile) {
  absl::SetFlag(&FLAGS_database, "host=db user=davit");
  absl::SetFlag(&FLAGS_database_password_file, "/nowhere/password");
  EXPECT_EQ(Problems().find("--database_password_file: "), 0u) << Problems();
  absl::SetFlag(&FLAGS_database_password_file, WriteFile("password", "hunter2\n"));
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(flags_.conninfo, "host='db' password='hunter2' user='davit'");
  EXPECT_EQ(flags_.password.Reveal(), "hunter2");
}

TEST_F(DatabaseFlagsTest, MigratingNeedsTheOwnerAndServingDoesNot) {
  absl::SetFlag(&FLAGS_migrate_only, true);
  EXPECT_EQ(Problems().find("--database_owner: is required with --migrate_only"), 0u) << Problems();
  absl::SetFlag(&FLAGS_database_owner, "host=db user=davit_scheduler_owner");
  absl::SetFlag(&FLAGS_database_admin, "host=db user=postgres");
  EXPECT_EQ(Problems(), "");
  absl::SetFlag(&FLAGS_migrate_only, false);
  absl::SetFlag(&FLAGS_database, "host=db");
  EXPECT_EQ(Problems().find("--database_admin: is used with --migrate_only"), 0u) << Problems();
}

}  // namespace
}  // namespace davit::rpc
