// Tests of the data directory: its lock, its secrets, its files.
#include "services/standalone/data_dir.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "gtest/gtest.h"

namespace davit::standalone {
namespace {

class DataDirTest : public ::testing::Test {
 protected:
  DataDirTest() {
    char path[] = "/tmp/dvtXXXXXX";
    path_ = mkdtemp(path);
  }
  ~DataDirTest() override { std::filesystem::remove_all(path_); }

  static int ModeOf(const std::string& path) {
    struct stat info = {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return static_cast<int>(info.st_mode & 07777);
  }

  std::string path_;
};

TEST_F(DataDirTest, ASecondInstanceIsRefusedByName) {
  auto first = DataDir::Open(path_);
  ASSERT_TRUE(first.ok()) << first.status();
  auto second = DataDir::Open(path_ + "/");
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_NE(second.status().message().find("is in use by process " + std::to_string(getpid())), absl::string_view::npos)
      << second.status();
  first->reset();
  EXPECT_TRUE(DataDir::Open(path_).ok()) << "the lock goes with its holder";
}

TEST_F(DataDirTest, PathsThatCannotWorkAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(DataDir::Open("relative").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(DataDir::Open("/").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(DataDir::Open("/tmp/" + std::string(100, 'x')).status()));
}

TEST_F(DataDirTest, SecretsAreMadeOnceAndReadableByTheirOwnerOnly) {
  auto data_dir = DataDir::Open(path_);
  ASSERT_TRUE(data_dir.ok()) << data_dir.status();
  int made = 0;
  auto make = [&] { return "secret " + std::to_string(++made); };
  EXPECT_EQ((*data_dir)->ReadOrCreateSecret("one", make).value(), "secret 1");
  EXPECT_EQ((*data_dir)->ReadOrCreateSecret("one", make).value(), "secret 1");
  EXPECT_EQ(ModeOf((*data_dir)->SecretPath("one")), 0600);
  EXPECT_EQ(ModeOf(path_ + "/secrets"), 0700);
}

TEST_F(DataDirTest, FilesAreReplacedAsAWhole) {
  ASSERT_TRUE(WriteFile(path_ + "/file", "old and long", 0640, nullptr).ok());
  ASSERT_TRUE(WriteFile(path_ + "/file", "new", 0640, nullptr).ok());
  EXPECT_EQ(ReadFile(path_ + "/file").value(), "new");
  EXPECT_EQ(ModeOf(path_ + "/file"), 0640);
  EXPECT_TRUE(absl::IsNotFound(ReadFile(path_ + "/none").status()));
}

TEST_F(DataDirTest, LastLinesAreTheEndOfALog) {
  ASSERT_TRUE(WriteFile(path_ + "/log", "a\nb\nc\n", 0600, nullptr).ok());
  EXPECT_EQ(LastLines(path_ + "/log", 2), "b\nc");
  EXPECT_EQ(LastLines(path_ + "/log", 9), "a\nb\nc");
  EXPECT_EQ(LastLines(path_ + "/none", 2), "");
}

}  // namespace
}  // namespace davit::standalone
