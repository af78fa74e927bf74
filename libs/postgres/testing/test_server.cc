// Implements test_server.h.
#include "libs/postgres/testing/test_server.h"

#include <postgresql/libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "libs/process/run.h"
#include "libs/status/status_macros.h"

// Read by LeakSanitizer: libpqxx 6.4 does not free the one result (2 KiB) that a connection breaks with.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }

namespace davit::postgres {
namespace {

namespace fs = std::filesystem;

constexpr char kBinaries[] = "/usr/lib/postgresql/15/bin/";
constexpr char kPrefix[] = "davit-pg-";

fs::path MemoryDirectory() { return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path(); }

// Removes what test binaries left that were killed before they could.
void SweepLeftovers() {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(MemoryDirectory(), ignored)) {
    const std::string name = entry.path().filename();
    if (!absl::StartsWith(name, kPrefix)) continue;
    const std::vector<std::string> parts = absl::StrSplit(name, '-');
    int pid = 0;
    if (parts.size() == 4 && absl::SimpleAtoi(parts[2], &pid) && !fs::exists(absl::StrCat("/proc/", pid))) {
      fs::remove_all(entry.path(), ignored);
    }
  }
}

// PostgreSQL refuses to run as root; the directory then belongs to the user that the package made.
absl::StatusOr<process::SpawnOptions> Unprivileged(std::vector<std::string> argv) {
  process::SpawnOptions options;
  options.argv = std::move(argv);
  options.working_directory = "/";
  if (geteuid() == 0) {
    DAVIT_ASSIGN_OR_RETURN(options.credentials, process::CredentialsOfUser("postgres"));
  }
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TestServer>> TestServer::Start() {
  SweepLeftovers();
  std::string pattern = absl::StrCat(MemoryDirectory().string(), "/", kPrefix, getpid(), "-XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) return absl::ErrnoToStatus(errno, "Failed to make the server's directory");
  std::unique_ptr<TestServer> server(new TestServer(pattern));
  DAVIT_RETURN_IF_ERROR(server->Initialise());
  DAVIT_RETURN_IF_ERROR(server->StartAgain());
  return server;
}

TestServer::TestServer(std::string directory)
    : directory_(std::move(directory)),
      conninfo_(absl::StrCat("host='", directory_, "' user=postgres dbname=postgres")) {}

TestServer::~TestServer() {
  if (process_ != nullptr) process_->Stop(SIGQUIT, absl::Seconds(10)).IgnoreError();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

absl::Status TestServer::Initialise() {
  DAVIT_ASSIGN_OR_RETURN(
      process::SpawnOptions init,
      Unprivileged({absl::StrCat(kBinaries, "initdb"), "-D", directory_ + "/data", "-U", "postgres", "-A", "trust",
                    "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"}));
  if (init.credentials.has_value() && chown(directory_.c_str(), init.credentials->uid, init.credentials->gid) != 0) {
    return absl::ErrnoToStatus(errno, "Failed to give the server its directory");
  }
  return process::RunOrFail(std::move(init), absl::Minutes(1)).status();
}

absl::Status TestServer::Stop() {
  // SIGINT is the fast shutdown.
  const absl::StatusOr<process::ExitStatus> ended = process_->Stop(SIGINT, absl::Minutes(1));
  process_ = nullptr;
  return ended.status();
}

absl::Status TestServer::StartAgain() {
  std::vector<std::string> argv = {absl::StrCat(kBinaries, "postgres"), "-D", directory_ + "/data", "-k", directory_};
  for (const char* setting : {"listen_addresses=", "unix_socket_permissions=0700", "fsync=off",
                              "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB",
                              "max_connections=100", "jit=off", "dynamic_shared_memory_type=mmap"}) {
    argv.insert(argv.end(), {"-c", setting});
  }
  DAVIT_ASSIGN_OR_RETURN(process::SpawnOptions serve, Unprivileged(std::move(argv)));
  serve.stdout_to = process::Output::File(directory_ + "/log");
  serve.stderr_to = process::Output::File(directory_ + "/log");
  serve.parent_death_signal = SIGQUIT;
  DAVIT_ASSIGN_OR_RETURN(process_, process::Process::Spawn(serve));
  return AwaitReady();
}

absl::Status TestServer::AwaitReady() {
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (PQping(conninfo_.c_str()) != PQPING_OK) {
    if (const auto ended = process_->Poll()) {
      return absl::InternalError(
          absl::StrCat("The test's PostgreSQL ", ended->ToString(), "; see ", directory_, "/log"));
    }
    if (absl::Now() > deadline) return absl::DeadlineExceededError("The test's PostgreSQL does not answer");
    absl::SleepFor(absl::Milliseconds(10));
  }
  return absl::OkStatus();
}

}  // namespace davit::postgres
