// Implements the private PostgreSQL.
#include "services/standalone/postgres_engine.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/process/run.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/standalone/leftovers.h"

namespace davit::standalone {
namespace {

constexpr char kRootOfVersions[] = "/usr/lib/postgresql";
constexpr char kSuperuser[] = "postgres";
constexpr char kDatabase[] = "davit";
constexpr absl::Duration kInitialiseLimit = absl::Minutes(2);
constexpr absl::Duration kReapLimit = absl::Seconds(10);

}  // namespace

PostgresEngine::PostgresEngine(const DataDir& data_dir, PostgresOptions options)
    : data_dir_(data_dir), options_(std::move(options)) {}

std::string PostgresEngine::AdminConninfo() const {
  return absl::StrCat("host='", data_dir_.Below("run/postgres"), "' user=", kSuperuser, " dbname=", kDatabase);
}

std::string PostgresEngine::log_path() const { return data_dir_.LogPath("postgres"); }

// A "fast" shutdown: open transactions are rolled back, nothing is lost.
int PostgresEngine::stop_signal() const { return SIGINT; }

absl::Status PostgresEngine::FindPrograms() {
  if (geteuid() == 0) {
    DAVIT_ASSIGN_OR_RETURN(credentials_, process::CredentialsOfUser(options_.user));
    if (credentials_->uid == 0) return absl::InvalidArgumentError("postgres_user: PostgreSQL refuses to run as root");
  }
  bin_dir_ = options_.bin_dir;
  if (bin_dir_.empty()) {
    int newest = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(kRootOfVersions, error)) {
      int version;
      if (absl::SimpleAtoi(entry.path().filename().string(), &version) && version > newest &&
          access((entry.path() / "bin/initdb").c_str(), X_OK) == 0) {
        newest = version;
        bin_dir_ = entry.path() / "bin";
      }
    }
  }
  if (bin_dir_.empty() || access((bin_dir_ + "/postgres").c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("PostgreSQL is not installed (looked in ",
                                            bin_dir_.empty() ? kRootOfVersions : bin_dir_.c_str(),
                                            "); install the package postgresql, or use --database"));
  }
  return absl::OkStatus();
}

process::SpawnOptions PostgresEngine::Command(std::vector<std::string> argv) const {
  process::SpawnOptions options;
  options.argv = std::move(argv);
  options.credentials = credentials_;
  options.environment =
      std::map<std::string, std::string>{{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}};
  options.working_directory = "/";
  return options;
}

absl::Status PostgresEngine::Prepare() {
  DAVIT_RETURN_IF_ERROR(FindPrograms());
  // Sockets 0700 in a 0711 directory: this user (or root) and PostgreSQL itself.
  DAVIT_RETURN_IF_ERROR(data_dir_.MakeDirectory("run/postgres", 0711, owner()).status());
  DAVIT_RETURN_IF_ERROR(data_dir_.MakeDirectory("postgres", 0700, owner()).status());
  absl::StatusOr<std::string> reachable =
      process::RunOrFail(Command({"/usr/bin/test", "-w", data_dir_.Below("postgres")}), absl::Seconds(10));
  if (!reachable.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("user ", options_.user, " cannot reach ",
                                                      data_dir_.Below("postgres"),
                                                      ": make every directory above it searchable (chmod o+x)"));
  }
  if (!std::filesystem::exists(data_dir_.Below("postgres/data/PG_VERSION"))) DAVIT_RETURN_IF_ERROR(Initialise());
  return WriteAccessRules();
}

absl::Status PostgresEngine::Initialise() {
  // In a directory of its own, renamed at the end: one that is there is whole.
  const std::string fresh = data_dir_.Below("postgres/data.new");
  std::error_code error;
  std::filesystem::remove_all(fresh, error);
  process::SpawnOptions initdb =
      Command({bin_dir_ + "/initdb", "--pgdata", fresh, "--encoding=UTF8", "--locale=C.UTF-8", "--auth=reject",
               "--no-sync", "--no-instructions", "--username", kSuperuser});
  DAVIT_RETURN_IF_ERROR(
      Annotate(process::RunOrFail(initdb, kInitialiseLimit).status(), "Failed to initialise PostgreSQL"));
  process::SpawnOptions create = Command(
      {bin_dir_ + "/postgres", "--single", "-D", fresh, "-c", "fsync=off", "-c", "log_checkpoints=off", "postgres"});
  create.stdin_data = absl::StrCat("create database ", kDatabase, ";\n");
  DAVIT_RETURN_IF_ERROR(
      Annotate(process::RunOrFail(create, kInitialiseLimit).status(), "Failed to create the database"));
  // One flush of the file system in place of initdb's and the server's flush of every single file.
  int directory = open(fresh.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 || syncfs(directory) != 0) {
    if (directory >= 0) close(directory);
    return absl::InternalError("flushing the new database failed");
  }
  close(directory);
  if (rename(fresh.c_str(), data_dir_.Below("postgres/data").c_str()) != 0) {
    return absl::InternalError("putting the new database in place failed");
  }
  return absl::OkStatus();
}

absl::Status PostgresEngine::WriteAccessRules() const {
  DAVIT_RETURN_IF_ERROR(WriteFile(data_dir_.Below("postgres/pg_hba.conf"),
                                  "# Only over the unix socket, only the user who runs davit-standalone.\n"
                                  "local all all peer map=davit\n",
                                  0600, owner()));
  const std::string self = geteuid() == 0 ? "root" : "/^.*$";  // Not root: the socket's mode admits this user only.
  std::string map = "# map  operating-system user  database role\n";
  absl::StrAppend(&map, "davit ", self, " ", kSuperuser, "\n");
  for (const std::string& role : options_.roles) absl::StrAppend(&map, "davit ", self, " ", role, "\n");
  return WriteFile(data_dir_.Below("postgres/pg_ident.conf"), map, 0600, owner());
}

absl::StatusOr<std::unique_ptr<process::Process>> PostgresEngine::Start() {
  std::vector<std::string> argv = {bin_dir_ + "/postgres", "-D", data_dir_.Below("postgres/data")};
  const std::pair<const char*, std::string> settings[] = {
      {"listen_addresses", ""},
      {"unix_socket_directories", data_dir_.Below("run/postgres")},
      {"unix_socket_permissions", "0700"},
      {"hba_file", data_dir_.Below("postgres/pg_hba.conf")},
      {"ident_file", data_dir_.Below("postgres/pg_ident.conf")},
      {"external_pid_file", ""},
      {"max_connections", "100"},
      {"shared_buffers", "64MB"},
      {"jit", "off"},
      {"idle_in_transaction_session_timeout", "60s"},
      {"timezone", "UTC"},
      {"log_timezone", "UTC"},
      {"log_line_prefix", "%m [%p] %q%u@%a "},
      {"logging_collector", "off"},
  };
  for (const auto& [name, value] : settings) {
    argv.emplace_back("-c");
    argv.push_back(absl::StrCat(name, "=", value));
  }
  process::SpawnOptions options = Command(std::move(argv));
  options.stdout_to = process::Output::File(log_path());
  options.stderr_to = process::Output::File(log_path());
  options.parent_death_signal = SIGINT;
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<process::Process> process, process::Process::Spawn(options));
  postmaster_ = process->pid();
  return process;
}

absl::Status PostgresEngine::Probe() {
  // The postmaster tells how far it is in the eighth line of its pid file; it is what pg_ctl waits for too.
  DAVIT_ASSIGN_OR_RETURN(std::string text, ReadFile(data_dir_.Below("postgres/data/postmaster.pid")));
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  pid_t pid;
  if (!absl::SimpleAtoi(lines[0], &pid) || pid != postmaster_) return absl::UnavailableError("not started yet");
  if (lines.size() < 8 || absl::StripAsciiWhitespace(lines[7]) != "ready")
    return absl::UnavailableError("still starting");
  return absl::OkStatus();
}

absl::Status PostgresEngine::CleanUp() {
  // A stale postmaster.pid is PostgreSQL's own to judge: it checks the process and the shared memory that it names. But
  // it takes a zombie for a server that runs.
  return WaitUntilReaped(data_dir_.Below("postgres/data/postmaster.pid"), kReapLimit);
}

}  // namespace davit::standalone
