// Tests of recognising a process again by its pid record.
#include "libs/process/identity.h"

#include <signal.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "libs/process/process.h"

namespace davit::process {
namespace {

TEST(IdentityTest, ARecordFindsTheSameProcessUntilItEnds) {
  SpawnOptions options;
  options.argv = {"sleep", "100"};
  auto process = Process::Spawn(options);
  ASSERT_TRUE(process.ok()) << process.status();
  auto record = FormatPidRecord((*process)->pid());
  ASSERT_TRUE(record.ok()) << record.status();
  auto found = FindByPidRecord(*record);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->argv, (std::vector<std::string>{"sleep", "100"}));
  EXPECT_EQ(found->parent, getpid());

  kill((*process)->pid(), SIGKILL);
  ASSERT_TRUE((*process)->Wait(absl::Seconds(10)).ok());
  EXPECT_TRUE(absl::IsNotFound(FindByPidRecord(*record).status()));
}

TEST(IdentityTest, AReusedPidIsNotTakenForTheOldProcess) {
  auto record = FormatPidRecord(getpid());
  ASSERT_TRUE(record.ok()) << record.status();
  auto self = Identify(getpid());
  ASSERT_TRUE(self.ok()) << self.status();
  std::string other =
      std::to_string(getpid()) + " " + std::to_string(self->start_ticks + 1) + record->substr(record->rfind(' '));
  EXPECT_TRUE(absl::IsNotFound(FindByPidRecord(other).status()));
  std::string other_boot = record->substr(0, record->rfind(' ')) + " 00000000-0000-0000-0000-000000000000";
  EXPECT_TRUE(absl::IsNotFound(FindByPidRecord(other_boot).status()));
}

TEST(IdentityTest, ABrokenRecordIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(FindByPidRecord("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FindByPidRecord("1 2").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FindByPidRecord("a b c").status()));
}

TEST(IdentityTest, AllProcessesHoldsThisOne) {
  bool found = false;
  for (const Identity& identity : AllProcesses()) found |= identity.pid == getpid();
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace davit::process
