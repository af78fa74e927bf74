// Tests of config_report.h.
#include "libs/settings/config_report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace davit::settings {
namespace {

TEST(ConfigReportTest, KeepsEveryProblemAndNamesItsFlagOnce) {
  ConfigReport report;
  report.Note("--listen", absl::OkStatus());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.Print(), 0);
  report.Note("--listen", absl::InvalidArgumentError("is wrong"));
  report.Note("--key_file", absl::NotFoundError("--key_file: is not there"));
  EXPECT_EQ(report.problems(), (std::vector<std::string>{"--listen: is wrong", "--key_file: is not there"}));
  EXPECT_EQ(report.status().message(), "--listen: is wrong\n--key_file: is not there");
  EXPECT_EQ(report.Print(), 1);
}

TEST(CheckListenAddressTest, TakesHostsPortsAndSockets) {
  for (const char* good : {"127.0.0.1:7080", "[::]:0", ":7080", "0.0.0.0:1", "unix:/run/x", "localhost:65535"}) {
    EXPECT_TRUE(CheckListenAddress(good).ok()) << good;
  }
  for (const char* bad : {"", "7080", "127.0.0.1", "a:b", "::1:80", "127.0.0.1:65536", "http://a:1", "unix:", "[]:1"}) {
    EXPECT_FALSE(CheckListenAddress(bad).ok()) << bad;
  }
}

TEST(CheckServiceAddressTest, WantsSomebodyToCall) {
  for (const char* good : {"scheduler.davit.svc:7083", "dns:///scheduler:7083", "[::1]:1", "unix:/run/x"}) {
    EXPECT_TRUE(CheckServiceAddress(good).ok()) << good;
  }
  for (const char* bad : {"", ":7083", "scheduler", "scheduler:0", "http://scheduler:7083"}) {
    EXPECT_FALSE(CheckServiceAddress(bad).ok()) << bad;
  }
}

TEST(CheckReadableFileTest, SaysWhichFileCannotBeRead) {
  const std::string directory = std::getenv("TEST_TMPDIR");
  std::ofstream(directory + "/there") << "x";
  EXPECT_TRUE(CheckReadableFile("").ok());
  EXPECT_TRUE(CheckReadableFile(directory + "/there").ok());
  EXPECT_NE(CheckReadableFile(directory).message().find("is a directory"), std::string::npos);
  EXPECT_NE(CheckReadableFile("/nowhere/file").message().find("/nowhere/file"), std::string::npos);
}

TEST(CheckDurationTest, NamesWhatIsTooShort) {
  EXPECT_TRUE(CheckPositive(absl::Seconds(1)).ok());
  EXPECT_EQ(CheckPositive(absl::ZeroDuration()).message(), "0 is not more than 0s");
  EXPECT_TRUE(CheckNotNegative(absl::ZeroDuration()).ok());
  EXPECT_EQ(CheckNotNegative(absl::Seconds(-2)).message(), "-2s is less than 0s");
}

TEST(CheckRangeTest, NamesTheBounds) {
  EXPECT_TRUE(CheckRange(1, 1, 3).ok());
  EXPECT_EQ(CheckRange(4, 1, 3).message(), "4 is not from 1 to 3");
}

}  // namespace
}  // namespace davit::settings
