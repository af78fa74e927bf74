// Tests of services/builder_agent/work_directory.h.
#include "services/builder_agent/work_directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace davit::builder_agent {
namespace {

TEST(WorkDirectoryTest, LeftoversOfJobsGoAndMirrorsStay) {
  const std::string path = ::testing::TempDir() + "/work_leftovers";
  std::filesystem::create_directories(path + "/jobs");
  std::filesystem::create_directories(path + "/mirrors");
  std::ofstream(path + "/jobs/bld_a.7.log") << "old";
  std::ofstream(path + "/mirrors/m") << "kept";
  const auto directory = WorkDirectory::Open(path);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_TRUE(std::filesystem::is_empty((*directory)->jobs()));
  EXPECT_TRUE(std::filesystem::exists((*directory)->mirrors() + "/m"));
}

TEST(WorkDirectoryTest, ASecondAgentIsRefusedUntilTheFirstHasEnded) {
  const std::string path = ::testing::TempDir() + "/work_lock";
  {
    const auto first = WorkDirectory::Open(path);
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_EQ(WorkDirectory::Open(path).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_TRUE(WorkDirectory::Open(path).ok());
}

}  // namespace
}  // namespace davit::builder_agent
