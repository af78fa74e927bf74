// Implements the private Docker engine over Debian's docker.io (dockerd brings its own containerd).
#include "services/standalone/docker_engine.h"

#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/process/process.h"
#include "libs/status/status_macros.h"
#include "services/standalone/http_probe.h"
#include "services/standalone/leftovers.h"

namespace davit::standalone {
namespace {

// For BuildKit's limits of a step's log, in bytes and bytes a second: the largest that it reads. The agent has a limit
// of its own for a build's log.
constexpr char kUnlimited[] = "2147483647";
// Without a limit the engine of Debian 12 never collects its build cache.
constexpr char kConfiguration[] = R"({"builder": {"gc": {"enabled": true, "defaultKeepStorage": "20GB"}}})"
                                  "\n";

// FNV-1a: stable across builds and machines, unlike std::hash.
uint32_t PathDigest(absl::string_view path) {
  uint32_t digest = 2166136261u;
  for (char c : path) digest = (digest ^ static_cast<unsigned char>(c)) * 16777619u;
  return digest;
}

}  // namespace

DockerEngine::DockerEngine(const DataDir& data_dir, DockerOptions options)
    : data_dir_(data_dir),
      options_(std::move(options)),
      scope_(absl::StrFormat("dvt%08x", PathDigest(data_dir.path()))),
      bridge_(scope_) {}

std::string DockerEngine::BuildKitAddress() const { return absl::StrCat("docker-engine://", SocketPath()); }

std::string DockerEngine::log_path() const { return data_dir_.LogPath("docker"); }

int DockerEngine::stop_signal() const { return SIGTERM; }

absl::Status DockerEngine::Prepare() {
  if (geteuid() != 0) {
    return absl::FailedPreconditionError(
        "starting a private BuildKit needs root; run davit-standalone as root, or use --buildkit with one of your own");
  }
  DAVIT_RETURN_IF_ERROR(data_dir_.MakeDirectory("docker", 0711, nullptr).status());
  DAVIT_RETURN_IF_ERROR(data_dir_.MakeDirectory("run/docker", 0711, nullptr).status());
  return bridge_.Create();
}

absl::StatusOr<std::unique_ptr<process::Process>> DockerEngine::Start() {
  process::SpawnOptions options;
  options.argv = {options_.program, absl::StrCat("--host=unix://", SocketPath()),
                  absl::StrCat("--data-root=", data_dir_.Below("docker")),
                  absl::StrCat("--exec-root=", data_dir_.Below("run/docker")),
                  absl::StrCat("--pidfile=", data_dir_.Below("run/docker.pid")),
                  // No file of the system's own daemon may change this one.
                  absl::StrCat("--config-file=", data_dir_.Below("docker.json")),
                  absl::StrCat("--bridge=", bridge_.name()), "--iptables=false", "--ip6tables=false",
                  "--userland-proxy=false", "--userns-remap=default", absl::StrCat("--cgroup-parent=", scope_),
                  "--exec-opt=native.cgroupdriver=cgroupfs", "--storage-driver=overlay2", "--group=root",
                  "--log-level=warn"};
  for (const std::string& registry : options_.plain_http_registries) {
    options.argv.push_back(absl::StrCat("--insecure-registry=", registry));
  }
  DAVIT_RETURN_IF_ERROR(WriteFile(data_dir_.Below("docker.json"), kConfiguration, 0600, nullptr));
  options.environment = std::map<std::string, std::string>{
      {"PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"},
      {"HOME", data_dir_.Below("docker")},
      // BuildKit would cut a step's log at 200 KiB a second and 2 MiB; a log has to be whole.
      {"BUILDKIT_STEP_LOG_MAX_SIZE", kUnlimited},
      {"BUILDKIT_STEP_LOG_MAX_SPEED", kUnlimited}};
  options.working_directory = "/";
  options.stdout_to = process::Output::File(log_path());
  options.stderr_to = process::Output::File(log_path());
  options.parent_death_signal = SIGTERM;
  return process::Process::Spawn(options);
}

absl::Status DockerEngine::Probe() {
  DAVIT_ASSIGN_OR_RETURN(int code, ProbeUnix(SocketPath(), "/_ping"));
  if (code != 200) return absl::UnavailableError(absl::StrCat("answered ", code));
  return absl::OkStatus();
}

absl::Status DockerEngine::CleanUp() {
  if (geteuid() != 0) return absl::OkStatus();
  // containerd follows dockerd's end by itself, but its pid file stays: where process 1 is slow to take notice, the
  // next dockerd would wait for the ended one instead of starting its own.
  absl::Status first = EndProcessOfPidFile(data_dir_.Below("run/docker/containerd/containerd.pid"), data_dir_.path(),
                                           SIGTERM, stop_grace());
  // What builds run does not follow, and is found by its control group.
  absl::Status removed = RemoveControlGroup(scope_);
  if (first.ok()) first = removed;
  for (const char* directory : {"run/docker", "docker"}) {
    absl::Status status = UnmountBelow(data_dir_.Below(directory));
    if (first.ok()) first = status;
  }
  for (const char* file : {"run/docker.sock", "run/docker.pid"}) unlink(data_dir_.Below(file).c_str());
  absl::Status status = bridge_.Remove();
  return first.ok() ? status : first;
}

}  // namespace davit::standalone
