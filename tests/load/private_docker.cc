// Implements private_docker.h.
#include "tests/load/private_docker.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/status/status_macros.h"

namespace davit::load {
namespace {

constexpr absl::Duration kStartDeadline = absl::Seconds(60);

bool Answers(const std::string& socket_path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof(address.sun_path) - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(descriptor);
  return connected;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivateDocker>> PrivateDocker::Start(const std::string& directory) {
  if (::geteuid() != 0) return absl::FailedPreconditionError("a private Docker engine needs root");
  std::unique_ptr<PrivateDocker> docker(new PrivateDocker(directory));
  DAVIT_RETURN_IF_ERROR(docker->Launch());
  return docker;
}

absl::Status PrivateDocker::Launch() {
  std::filesystem::create_directories(directory_);
  std::ofstream(directory_ + "/daemon.json") << "{}\n";
  process::SpawnOptions options;
  options.argv = {"dockerd", absl::StrCat("--host=unix://", socket_path()),
                  absl::StrCat("--data-root=", directory_, "/data"), absl::StrCat("--exec-root=", directory_, "/exec"),
                  absl::StrCat("--pidfile=", directory_, "/docker.pid"),
                  // No file of the system's own daemon may change this one.
                  absl::StrCat("--config-file=", directory_, "/daemon.json"), "--bridge=none", "--iptables=false",
                  "--ip6tables=false", "--storage-driver=overlay2", "--log-level=warn"};
  options.stdout_to = process::Output::File(directory_ + "/docker.log");
  options.stderr_to = process::Output::File(directory_ + "/docker.log");
  options.parent_death_signal = SIGTERM;
  DAVIT_ASSIGN_OR_RETURN(process_, process::Process::Spawn(options));
  const absl::Time deadline = absl::Now() + kStartDeadline;
  while (!Answers(socket_path())) {
    if (process_->Poll().has_value()) return absl::UnavailableError("dockerd ended while it started");
    if (absl::Now() > deadline) return absl::DeadlineExceededError("dockerd does not answer");
    absl::SleepFor(absl::Milliseconds(50));
  }
  return absl::OkStatus();
}

PrivateDocker::~PrivateDocker() {
  if (process_ != nullptr) process_->Stop(SIGTERM, absl::Seconds(20)).IgnoreError();
}

}  // namespace davit::load
