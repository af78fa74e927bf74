// Tests of the real engines under their supervisor: PostgreSQL, the registry, and, as root, the Docker engine.
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <pqxx/pqxx>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/process/identity.h"
#include "libs/process/run.h"
#include "services/standalone/docker_engine.h"
#include "services/standalone/http_probe.h"
#include "services/standalone/leftovers.h"
#include "services/standalone/postgres_engine.h"
#include "services/standalone/registry_engine.h"
#include "services/standalone/supervisor.h"

namespace davit::standalone {
namespace {

class EnginesTest : public ::testing::Test {
 protected:
  EnginesTest() {
    if (getuid() != 0) return;
    char path[] = "/dev/shm/dvtXXXXXX";
    path_ = mkdtemp(path);
    auto data_dir = DataDir::Open(path_);
    EXPECT_TRUE(data_dir.ok()) << data_dir.status();
    data_dir_ = *std::move(data_dir);
    EXPECT_EQ(chmod(path_.c_str(), 0711), 0);
  }
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root";
  }
  ~EnginesTest() override {
    data_dir_.reset();
    if (!path_.empty()) std::filesystem::remove_all(path_);
  }

  std::unique_ptr<Supervisor> Supervise(std::unique_ptr<Engine> engine) {
    auto supervisor = std::make_unique<Supervisor>(
        std::move(engine), *data_dir_, random_, Logger::Discarding(), [](const std::string&) {}, SupervisorOptions{});
    supervisor->Start();
    return supervisor;
  }

  pid_t RecordedPid(const std::string& engine) {
    absl::StatusOr<std::string> record = ReadFile(data_dir_->PidRecordPath(engine));
    return record.ok() ? atoi(record->c_str()) : 0;
  }

  static std::string FreeAddress();

  // Makes a zombie of the user `uid`: an ended child that nobody has waited for. The caller does, with waitpid.
  static pid_t MakeZombie(uid_t uid) {
    const pid_t child = fork();
    if (child == 0) _exit(setuid(uid));
    siginfo_t ended;
    EXPECT_EQ(waitid(P_PID, child, &ended, WEXITED | WNOWAIT), 0);
    return child;
  }

  std::string path_;
  std::unique_ptr<DataDir> data_dir_;
  SystemRandom random_;
};

std::string EnginesTest::FreeAddress() {
  // Below the ephemeral range; another process taking it in between fails the test visibly.
  return absl::StrCat("127.0.0.1:", 20000 + getpid() % 10000);
}

TEST_F(EnginesTest, PostgresServesItsOwnerOverTheSocketOnlyAndKeepsItsData) {
  for (int round = 0; round < 2; ++round) {
    PostgresOptions options;
    options.roles = {"app"};
    auto engine = std::make_unique<PostgresEngine>(*data_dir_, options);
    const std::string conninfo = engine->AdminConninfo();
    auto supervisor = Supervise(std::move(engine));
    ASSERT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
    pqxx::connection connection(conninfo);
    pqxx::work work(connection);
    if (round == 0) {
      work.exec("create table kept (n int)");
      work.exec("insert into kept values (7)");
      work.exec("create role app login");
    }
    EXPECT_EQ(work.exec("select n from kept")[0][0].as<int>(), 7);
    EXPECT_EQ(work.exec("show listen_addresses")[0][0].as<std::string>(), "");
    work.commit();
    pqxx::connection as_app(conninfo + " user=app");
    if (round == 1) continue;
    process::SpawnOptions stranger;
    stranger.argv = {"psql", "-w", "-h", data_dir_->Below("run/postgres"), "-U", "postgres", "-c", "select 1", "davit"};
    stranger.credentials = process::Credentials{65534, 65534, {}};
    EXPECT_FALSE(process::RunOrFail(stranger, absl::Seconds(20)).ok()) << "another user must not get in";
  }
}

TEST_F(EnginesTest, PostgresComesBackAfterItsDeath) {
  auto engine = std::make_unique<PostgresEngine>(*data_dir_, PostgresOptions{});
  const std::string conninfo = engine->AdminConninfo();
  auto supervisor = Supervise(std::move(engine));
  ASSERT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
  const pid_t before = RecordedPid("postgres");
  ASSERT_GT(before, 1);
  kill(before, SIGKILL);
  for (int i = 0; i < 3000 && (supervisor->restarts() == 0 || !supervisor->Health().ok()); ++i) usleep(10000);
  ASSERT_TRUE(supervisor->Health().ok()) << supervisor->Health();
  EXPECT_NE(RecordedPid("postgres"), before);
  pqxx::connection connection(conninfo);
  EXPECT_TRUE(connection.is_open());
}

TEST_F(EnginesTest, PostgresStartsAsSoonAsAnEndedPredecessorIsReaped) {
  {
    auto supervisor = Supervise(std::make_unique<PostgresEngine>(*data_dir_, PostgresOptions{}));
    ASSERT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
  }
  const auto user = process::CredentialsOfUser("postgres");
  ASSERT_TRUE(user.ok()) << user.status();
  const pid_t zombie = MakeZombie(user->uid);
  ASSERT_TRUE(
      WriteFile(data_dir_->Below("postgres/data/postmaster.pid"), absl::StrCat(zombie, "\n"), 0600, &*user).ok());
  auto supervisor = Supervise(std::make_unique<PostgresEngine>(*data_dir_, PostgresOptions{}));
  usleep(500'000);
  EXPECT_EQ(waitpid(zombie, nullptr, 0), zombie);
  EXPECT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
}

TEST_F(EnginesTest, TheRegistryAsksForItsPassword) {
  RegistryOptions options;
  options.listen = FreeAddress();
  options.username = "davit";
  options.password = crypto::SecretString("pass-word_0");
  options.http_secret = crypto::SecretString("secret");
  auto supervisor = Supervise(std::make_unique<RegistryEngine>(*data_dir_, options));
  ASSERT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
  auto ask = [&](const std::string& user) {
    process::SpawnOptions curl;
    curl.argv = {
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", user, "http://" + options.listen + "/v2/"};
    return process::RunOrFail(curl, absl::Seconds(20)).value_or("failed");
  };
  EXPECT_EQ(ask("davit:pass-word_0"), "200");
  EXPECT_EQ(ask("davit:wrong"), "401");
  EXPECT_EQ(ProbeTcp(options.listen, "/v2/_catalog").value(), 401);
  RegistryEngine second(*data_dir_, options);
  EXPECT_NE(second.Start().status().message().find("is taken by another program"), absl::string_view::npos);
}

TEST_F(EnginesTest, TheDockerEngineDoesNotTakeAnEndedContainerdForALivingOne) {
  const pid_t zombie = MakeZombie(getuid());
  std::filesystem::create_directories(data_dir_->Below("run/docker/containerd"));
  ASSERT_TRUE(
      WriteFile(data_dir_->Below("run/docker/containerd/containerd.pid"), absl::StrCat(zombie), 0600, nullptr).ok());
  auto supervisor = Supervise(std::make_unique<DockerEngine>(*data_dir_, DockerOptions{}));
  EXPECT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
  EXPECT_EQ(waitpid(zombie, nullptr, 0), zombie);
}

TEST_F(EnginesTest, TheDockerEngineLeavesNothingBehindNotEvenWhenItIsKilled) {
  auto engine = std::make_unique<DockerEngine>(*data_dir_, DockerOptions{});
  const std::string address = engine->BuildKitAddress();
  const std::string bridge = engine->bridge();
  EXPECT_EQ(address, "docker-engine://" + path_ + "/run/docker.sock");
  auto supervisor = Supervise(std::move(engine));
  ASSERT_TRUE(supervisor->WaitReady().ok()) << supervisor->WaitReady();
  kill(RecordedPid("docker"), SIGKILL);
  for (int i = 0; i < 3000 && (supervisor->restarts() == 0 || !supervisor->Health().ok()); ++i) usleep(10000);
  ASSERT_TRUE(supervisor->Health().ok()) << supervisor->Health();
  supervisor->Stop();
  EXPECT_EQ(ReadFile("/proc/self/mounts")->find(path_ + "/"), std::string::npos);
  for (const process::Identity& identity : process::AllProcesses()) {
    if (identity.state == 'Z' || identity.pid == getpid()) continue;
    for (const std::string& argument : identity.argv) {
      EXPECT_EQ(argument.find(path_ + "/"), std::string::npos) << argument;
    }
  }
  process::SpawnOptions links;
  links.argv = {"ip", "-o", "link"};
  EXPECT_EQ(process::RunOrFail(links, absl::Seconds(10))->find(bridge), std::string::npos);
  process::SpawnOptions rules;
  rules.argv = {"iptables", "-w", "-S"};
  EXPECT_EQ(process::RunOrFail(rules, absl::Seconds(10))->find(bridge), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/run/docker.sock"));
}

}  // namespace
}  // namespace davit::standalone
