// Tests of spawning, waiting for and ending child processes.
#include "libs/process/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "gtest/gtest.h"
#include "libs/process/identity.h"
#include "libs/process/run.h"

namespace davit::process {
namespace {

SpawnOptions Command(std::vector<std::string> argv) {
  SpawnOptions options;
  options.argv = std::move(argv);
  return options;
}

TEST(ProcessTest, ReportsTheExitCode) {
  auto process = Process::Spawn(Command({"sh", "-c", "exit 7"}));
  ASSERT_TRUE(process.ok()) << process.status();
  auto status = (*process)->Wait();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->code, 7);
  EXPECT_EQ(status->ToString(), "exited 7");
}

TEST(ProcessTest, ReportsTheSignalThatEndedIt) {
  auto process = Process::Spawn(Command({"sleep", "100"}));
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_FALSE((*process)->Poll().has_value());
  ASSERT_TRUE((*process)->Signal(SIGKILL).ok());
  auto status = (*process)->Wait(absl::Seconds(10));
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->ToString(), "killed by signal 9");
  EXPECT_TRUE((*process)->Signal(SIGKILL).ok()) << "signalling a process that has ended is harmless";
}

TEST(ProcessTest, ArgumentsAreNeverInterpreted) {
  auto text = RunOrFail(Command({"printf", "%s", "$(id); `id` * ; 'x'"}), absl::Seconds(10));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "$(id); `id` * ; 'x'");
}

TEST(ProcessTest, AMissingProgramIsNotFoundAndNamed) {
  auto process = Process::Spawn(Command({"/no/such/program"}));
  EXPECT_TRUE(absl::IsNotFound(process.status())) << process.status();
  EXPECT_NE(process.status().message().find("/no/such/program"), absl::string_view::npos);
  EXPECT_TRUE(absl::IsNotFound(Process::Spawn(Command({"no-such-program-anywhere"})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Process::Spawn(Command({})).status()));
}

TEST(ProcessTest, AMissingDirectoryIsReportedWithItsStep) {
  SpawnOptions options = Command({"true"});
  options.working_directory = "/no/such/directory";
  auto process = Process::Spawn(options);
  EXPECT_NE(process.status().message().find("working directory"), absl::string_view::npos) << process.status();
}

TEST(ProcessTest, EnvironmentDirectoryAndInputArePassed) {
  SpawnOptions options = Command({"/bin/sh", "-c", "echo \"$NAME\"; pwd; cat"});
  options.environment = std::map<std::string, std::string>{{"NAME", "value with space"}, {"PATH", "/usr/bin:/bin"}};
  options.working_directory = "/";
  options.stdin_data = "from stdin";
  auto text = RunOrFail(options, absl::Seconds(10));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "value with space\n/\nfrom stdin");
}

TEST(ProcessTest, TheUserIsDroppedForGood) {
  if (getuid() != 0) GTEST_SKIP() << "needs root";
  SpawnOptions options = Command({"sh", "-c", "id -u; id -g; id -G"});
  options.credentials = Credentials{65534, 65533, {65533}};
  auto text = RunOrFail(options, absl::Seconds(10));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "65534\n65533\n65533\n");
}

TEST(ProcessTest, OnlyTheNamedDescriptorsReachTheChild) {
  int leaked = open("/dev/null", O_RDONLY);  // Without close-on-exec, as a careless library would.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  SpawnOptions options = Command({"sh", "-c", "echo passed >&5; ls /proc/self/fd | wc -l"});
  options.descriptors = {{ends[1], 5}};
  auto text = RunOrFail(options, absl::Seconds(10));
  close(leaked);
  close(ends[1]);
  ASSERT_TRUE(text.ok()) << text.status();
  char buffer[16] = {};
  EXPECT_EQ(read(ends[0], buffer, sizeof buffer), 7);
  close(ends[0]);
  EXPECT_EQ(atoi(text->c_str()), 5) << "0, 1, 2, 5 and the directory itself";
}

TEST(ProcessTest, WaitGivesUpAfterItsTimeout) {
  auto process = Process::Spawn(Command({"sleep", "100"}));
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded((*process)->Wait(absl::Milliseconds(20)).status()));
}

TEST(ProcessTest, DestroyingItKillsTheWholeGroup) {
  std::string printed;
  pid_t grandchild = 0;
  {
    absl::Mutex mutex;
    SpawnOptions options = Command({"sh", "-c", "sleep 100 & echo $!; wait"});
    options.stdout_to = Output::Callback([&](absl::string_view text) {
      absl::MutexLock lock(&mutex);
      printed.append(text.data(), text.size());
    });
    auto process = Process::Spawn(options);
    ASSERT_TRUE(process.ok()) << process.status();
    absl::MutexLock lock(&mutex);
    auto complete = [&] { return printed.find('\n') != std::string::npos; };
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&complete), absl::Seconds(10)));
    grandchild = atoi(printed.c_str());
  }
  auto identity = Identify(grandchild);
  // It is gone, or a zombie that init has not collected yet.
  EXPECT_TRUE(!identity.ok() || identity->state == 'Z' || identity->argv.empty() || identity->argv[0] != "sleep");
}

TEST(ProcessTest, StopKillsWhatIgnoresTheSignal) {
  std::string printed;
  absl::Mutex mutex;
  SpawnOptions options = Command({"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"});
  options.stdout_to = Output::Callback([&](absl::string_view text) {
    absl::MutexLock lock(&mutex);
    printed.append(text.data(), text.size());
  });
  auto process = Process::Spawn(options);
  ASSERT_TRUE(process.ok()) << process.status();
  {
    absl::MutexLock lock(&mutex);
    auto ready = [&] { return !printed.empty(); };
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&ready), absl::Seconds(10)));
  }
  auto status = (*process)->Stop(SIGTERM, absl::Milliseconds(50));
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->signal, SIGKILL);
}

TEST(ProcessTest, TheChildEndsWithTheThreadThatSpawnedIt) {
  absl::StatusOr<std::unique_ptr<Process>> process = absl::UnknownError("not started");
  std::thread([&] {
    SpawnOptions options = Command({"sleep", "100"});
    options.parent_death_signal = SIGTERM;
    process = Process::Spawn(options);
  }).join();
  ASSERT_TRUE(process.ok()) << process.status();
  auto status = (*process)->Wait(absl::Seconds(10));
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->signal, SIGTERM);
}

TEST(ProcessTest, OutputIsAppendedToAFile) {
  const std::string path = std::string(getenv("TEST_TMPDIR")) + "/output";
  for (int i = 0; i < 2; ++i) {
    SpawnOptions options = Command({"echo", "line"});
    options.stdout_to = Output::File(path);
    auto process = Process::Spawn(options);
    ASSERT_TRUE(process.ok()) << process.status();
    ASSERT_TRUE((*process)->Wait(absl::Seconds(10)).ok());
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), "line\nline\n");
}

TEST(RunTest, AFailureCarriesWhatTheCommandSaid) {
  auto text = RunOrFail(Command({"sh", "-c", "echo broken pipe fitting >&2; exit 3"}), absl::Seconds(10));
  EXPECT_EQ(text.status().message(), "sh exited 3: broken pipe fitting");
}

TEST(RunTest, LargeOutputIsKeptUpToItsBound) {
  auto done = process::Run(Command({"head", "-c", "3000000", "/dev/zero"}), absl::Seconds(20));
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_TRUE(done->status.ok());
  EXPECT_EQ(done->stdout_text.size(), 1024u * 1024u);
}

}  // namespace
}  // namespace davit::process
