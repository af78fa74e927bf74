// Tests of the log file.
#include "services/standalone/log_file.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace davit::standalone {
namespace {

std::string Content(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(LogFileTest, AppendsAndKeepsOnePredecessor) {
  char directory[] = "/tmp/dvtXXXXXX";
  const std::string path = std::string(mkdtemp(directory)) + "/log";
  {
    auto log = LogFile::Open(path, 10);
    ASSERT_TRUE(log.ok()) << log.status();
    (*log)->Write("first line");
  }
  {
    auto log = LogFile::Open(path, 10);
    ASSERT_TRUE(log.ok()) << log.status();
    (*log)->Write("second line");  // The file is over its limit: it becomes the predecessor.
    (*log)->Write("third line");
  }
  EXPECT_EQ(Content(path), "third line\n");
  EXPECT_EQ(Content(path + ".1"), "second line\n");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::remove_all(directory);
}

TEST(LogFileTest, ADirectoryThatIsMissingIsAnError) { EXPECT_FALSE(LogFile::Open("/no/such/log", 10).ok()); }

}  // namespace
}  // namespace davit::standalone
