// Tests of keeping an engine running, with small shell programs as engines.
#include "services/standalone/supervisor.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "gtest/gtest.h"
#include "libs/process/identity.h"
#include "services/standalone/leftovers.h"

namespace davit::standalone {
namespace {

// What a ScriptEngine has seen; outlives the engine.
struct Seen {
  std::atomic<int> starts = 0;
  std::atomic<int> clean_ups = 0;
  std::atomic<pid_t> pid = 0;
  std::atomic<bool> serving = true;
};

// Runs `script` with the shell; it serves when `Seen::serving` says so.
class ScriptEngine : public Engine {
 public:
  ScriptEngine(const DataDir& data_dir, std::string script, Seen& seen)
      : data_dir_(data_dir), script_(std::move(script)), seen_(seen) {}
  std::string name() const override { return "script"; }
  absl::Status Prepare() override { return WriteFile(data_dir_.Below("script.sh"), script_, 0700, nullptr); }
  absl::StatusOr<std::unique_ptr<process::Process>> Start() override {
    ++seen_.starts;
    process::SpawnOptions options;
    options.argv = {"sh", data_dir_.Below("script.sh")};
    options.stderr_to = process::Output::File(log_path());
    options.parent_death_signal = SIGKILL;
    auto process = process::Process::Spawn(options);
    if (process.ok()) seen_.pid = (*process)->pid();
    return process;
  }
  absl::Status Probe() override { return seen_.serving ? absl::OkStatus() : absl::UnavailableError("not serving"); }
  int stop_signal() const override { return SIGTERM; }
  absl::Duration stop_grace() const override { return absl::Seconds(5); }
  absl::Duration start_deadline() const override { return absl::Milliseconds(300); }
  absl::Status CleanUp() override {
    ++seen_.clean_ups;
    return absl::OkStatus();
  }
  std::string log_path() const override { return data_dir_.LogPath("script"); }

 private:
  const DataDir& data_dir_;
  const std::string script_;
  Seen& seen_;
};

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() {
    char path[] = "/tmp/dvtXXXXXX";
    path_ = mkdtemp(path);
    auto data_dir = DataDir::Open(path_);
    EXPECT_TRUE(data_dir.ok()) << data_dir.status();
    data_dir_ = *std::move(data_dir);
  }
  ~SupervisorTest() override {
    data_dir_.reset();
    std::filesystem::remove_all(path_);
  }

  std::unique_ptr<Supervisor> Supervise(std::string script) {
    SupervisorOptions options;
    options.poll_start = absl::Milliseconds(5);
    options.poll_running = absl::Milliseconds(20);
    options.first_pause = absl::Milliseconds(5);
    auto supervisor = std::make_unique<Supervisor>(
        std::make_unique<ScriptEngine>(*data_dir_, std::move(script), seen_), *data_dir_, random_, Logger::Discarding(),
        [](const std::string&) {}, options);
    supervisor->Start();
    return supervisor;
  }

  static void WaitFor(const std::function<bool()>& done) {
    for (int i = 0; i < 2000 && !done(); ++i) usleep(5000);
    ASSERT_TRUE(done());
  }

  std::string path_;
  std::unique_ptr<DataDir> data_dir_;
  SystemRandom random_;
  Seen seen_;
};

TEST_F(SupervisorTest, StartsAndStopsInOrder) {
  auto supervisor = Supervise("exec sleep 100\n");
  ASSERT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
  EXPECT_TRUE(process::Identify(seen_.pid).ok());
  supervisor->Stop();
  EXPECT_FALSE(process::Identify(seen_.pid).ok());
  EXPECT_FALSE(supervisor->Health().ok());
  EXPECT_EQ(seen_.clean_ups, 2) << "before the start and after the end";
  EXPECT_FALSE(std::filesystem::exists(data_dir_->PidRecordPath("script")));
}

TEST_F(SupervisorTest, WhatDiesIsStartedAgain) {
  auto supervisor = Supervise("exec sleep 100\n");
  ASSERT_TRUE(supervisor->WaitReady().ok());
  kill(seen_.pid, SIGKILL);
  WaitFor([&] { return seen_.starts == 2 && supervisor->Health().ok(); });
  EXPECT_EQ(supervisor->restarts(), 1);
}

TEST_F(SupervisorTest, WhatStopsAnsweringIsStartedAgain) {
  auto supervisor = Supervise("exec sleep 100\n");
  ASSERT_TRUE(supervisor->WaitReady().ok());
  seen_.serving = false;
  WaitFor([&] { return !supervisor->Health().ok(); });
  seen_.serving = true;
  WaitFor([&] { return seen_.starts >= 2 && supervisor->Health().ok(); });
}

TEST_F(SupervisorTest, AFailedFirstStartSaysWhyWithTheEndOfTheLog) {
  seen_.serving = false;
  auto supervisor = Supervise("echo 'address already in use' >&2; exit 3\n");
  absl::Status status = supervisor->WaitReady();
  EXPECT_NE(status.message().find("exited 3"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find("address already in use"), absl::string_view::npos) << status;
  EXPECT_EQ(seen_.starts, 1);
}

TEST_F(SupervisorTest, AnEngineThatNeverServesFailsAfterItsDeadline) {
  seen_.serving = false;
  auto supervisor = Supervise("exec sleep 100\n");
  absl::Status status = supervisor->WaitReady();
  EXPECT_NE(status.message().find("not ready after 300ms"), absl::string_view::npos) << status;
  supervisor->Stop();
  EXPECT_FALSE(process::Identify(seen_.pid).ok());
}

TEST_F(SupervisorTest, AProcessThatAKilledPredecessorLeftIsEndedFirst) {
  ASSERT_TRUE(WriteFile(data_dir_->Below("old.sh"), "exec sleep 100 \"$0\"", 0700, nullptr).ok());
  process::SpawnOptions options;
  // The file's path stays in the arguments: that is how it is known to belong to this directory.
  options.argv = {"sh", "-c", "sleep 100; true", data_dir_->Below("old.sh")};
  auto orphan = process::Process::Spawn(options);
  ASSERT_TRUE(orphan.ok()) << orphan.status();
  auto record = process::FormatPidRecord((*orphan)->pid());
  ASSERT_TRUE(record.ok());
  ASSERT_TRUE(WriteFile(data_dir_->PidRecordPath("script"), *record, 0600, nullptr).ok());
  auto supervisor = Supervise("exec sleep 100\n");
  ASSERT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
  EXPECT_TRUE((*orphan)->Poll().has_value());
}

TEST_F(SupervisorTest, AForeignProcessThatARecordNamesIsLeftAlone) {
  process::SpawnOptions options;
  options.argv = {"sleep", "100"};
  auto foreign = process::Process::Spawn(options);
  ASSERT_TRUE(foreign.ok());
  auto record = process::FormatPidRecord((*foreign)->pid());
  ASSERT_TRUE(record.ok());
  ASSERT_TRUE(WriteFile(data_dir_->PidRecordPath("script"), *record, 0600, nullptr).ok());
  EXPECT_TRUE(
      EndRecordedProcess(data_dir_->PidRecordPath("script"), data_dir_->path(), SIGTERM, absl::Seconds(1)).ok());
  EXPECT_FALSE((*foreign)->Poll().has_value());
}

}  // namespace
}  // namespace davit::standalone
