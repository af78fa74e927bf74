// A Docker engine and a registry of a test's own.
#include "libs/buildkit/testing/private_engine.h"

#include <archive.h>
#include <archive_entry.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/buildkit/engine.h"
#include "libs/http/client.h"
#include "libs/status/status_macros.h"

namespace davit::buildkit {
namespace {

constexpr char kUser[] = "davit";
constexpr char kPassword[] = "registry-secret-1";
// bcrypt of kPassword with few rounds.
constexpr char kPasswordHash[] = "$2b$04$EBl5e4npojeTkO9QbQzqj./obKUSxTCgAOM6mzpKj2E.i7DrsFf9.";

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

http::Client MakeClient() {
  http::ClientOptions options;
  options.policy = *http::AddressPolicy::Create({{"127.0.0.1"}});
  return http::Client(std::move(options));
}

// Waits until a GET of `url` answers one of 200 and 401.
absl::Status AwaitAnswer(const std::string& url, const std::string& unix_socket) {
  http::Client client = MakeClient();
  absl::Status last;
  for (int i = 0; i < 600; ++i) {
    http::Request request;
    request.url = url;
    request.unix_socket_path = unix_socket;
    const absl::StatusOr<http::Response> response = client.Send(request);
    if (response.ok() && (response->status == 200 || response->status == 401)) return absl::OkStatus();
    last = response.status();
    absl::SleepFor(absl::Milliseconds(100));
  }
  return absl::UnavailableError(absl::StrCat(url, " does not answer: ", last.ToString()));
}

absl::StatusOr<std::unique_ptr<process::Process>> Spawn(std::vector<std::string> argv, const std::string& log) {
  process::SpawnOptions options;
  options.argv = std::move(argv);
  options.stdout_to = process::Output::File(log);
  options.stderr_to = process::Output::File(log);
  options.parent_death_signal = SIGTERM;
  return process::Process::Spawn(options);
}

void AddToTar(archive* tar, const std::string& path, const std::string& content, const std::string& link) {
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, path.c_str());
  archive_entry_set_filetype(entry, link.empty() ? AE_IFREG : AE_IFLNK);
  archive_entry_set_perm(entry, 0755);
  archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
  if (!link.empty()) archive_entry_set_symlink(entry, link.c_str());
  archive_write_header(tar, entry);
  archive_write_data(tar, content.data(), content.size());
  archive_entry_free(entry);
}

std::string BaseTar() {
  std::ifstream file("/bin/busybox", std::ios::binary);
  std::stringstream busybox;
  busybox << file.rdbuf();
  std::string out(busybox.str().size() + (1 << 20), '\0');
  size_t used = 0;
  archive* tar = archive_write_new();
  archive_write_set_format_pax_restricted(tar);
  archive_write_open_memory(tar, out.data(), out.size(), &used);
  AddToTar(tar, "bin/busybox", busybox.str(), "");
  for (const char* name : {"sh", "sleep", "echo", "cat", "true"})
    AddToTar(tar, absl::StrCat("bin/", name), "", "busybox");
  archive_write_close(tar);
  archive_write_free(tar);
  out.resize(used);
  return out;
}

// Takes down what an engine left mounted below `directory`, the deepest first.
void UnmountBelow(const std::string& directory) {
  std::ifstream mounts("/proc/self/mounts");
  std::vector<std::string> below;
  for (std::string line; std::getline(mounts, line);) {
    std::stringstream fields(line);
    std::string device;
    std::string target;
    fields >> device >> target;
    if (absl::StartsWith(target, absl::StrCat(directory, "/"))) below.push_back(target);
  }
  for (auto it = below.rbegin(); it != below.rend(); ++it) umount2(it->c_str(), MNT_DETACH);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivateEngine>> PrivateEngine::Start() {
  std::unique_ptr<PrivateEngine> engine(new PrivateEngine());
  // In memory: engines write many small files. The path is short because sockets' paths must be.
  char directory[] = "/dev/shm/davit-engine-XXXXXX";
  if (mkdtemp(directory) == nullptr) return absl::UnavailableError("cannot make a temporary directory");
  engine->directory_ = directory;
  DAVIT_RETURN_IF_ERROR(engine->StartRegistry());
  DAVIT_RETURN_IF_ERROR(engine->StartEngine());
  DAVIT_RETURN_IF_ERROR(engine->PushBaseImage());
  return engine;
}

PrivateEngine::~PrivateEngine() {
  if (engine_process_ != nullptr) engine_process_->Stop(SIGTERM, absl::Seconds(20)).status().IgnoreError();
  if (registry_process_ != nullptr) registry_process_->Stop(SIGTERM, absl::Seconds(5)).status().IgnoreError();
  UnmountBelow(directory_);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

RegistryAccount PrivateEngine::account() const { return {registry_, kUser, crypto::SecretString(kPassword)}; }

absl::Status PrivateEngine::StartRegistry() {
  registry_ = absl::StrCat("127.0.0.1:", FreePort());
  std::ofstream(directory_ + "/htpasswd") << kUser << ":" << kPasswordHash << "\n";
  std::ofstream(directory_ + "/registry.yml")
      << "version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: " << directory_
      << "/images}}\nhttp: {addr: \"" << registry_ << "\"}\nauth: {htpasswd: {realm: test, path: " << directory_
      << "/htpasswd}}\n";
  DAVIT_ASSIGN_OR_RETURN(registry_process_, Spawn({"docker-registry", "serve", directory_ + "/registry.yml"},
                                                  directory_ + "/registry.log"));
  return AwaitAnswer(absl::StrCat("http://", registry_, "/v2/"), "");
}

absl::Status PrivateEngine::StartEngine() {
  std::ofstream(directory_ + "/docker.json") << "{}\n";
  DAVIT_ASSIGN_OR_RETURN(
      engine_process_,
      Spawn({"dockerd", "--host=unix://" + socket(), "--data-root=" + directory_ + "/data",
             "--exec-root=" + directory_ + "/exec", "--pidfile=" + directory_ + "/docker.pid",
             "--config-file=" + directory_ + "/docker.json", "--bridge=none", "--iptables=false", "--group=root"},
            directory_ + "/docker.log"));
  return AwaitAnswer("http://docker/_ping", socket());
}

absl::Status PrivateEngine::PushBaseImage() {
  http::Client client = MakeClient();
  http::Request request;
  request.method = "POST";
  request.url = absl::StrCat("http://docker/images/create?fromSrc=-&repo=", registry_, "/base/busybox&tag=1");
  request.unix_socket_path = socket();
  request.body = BaseTar();
  DAVIT_ASSIGN_OR_RETURN(const http::Response created, client.Send(request));
  if (created.status != 200) return absl::UnavailableError(created.body);
  Engine engine(socket());
  const RegistryAccount pusher = account();
  const std::atomic<bool> never = false;
  DAVIT_RETURN_IF_ERROR(engine.Push(base_image(), &pusher, never).status());
  return engine.Remove(base_image());
}

absl::StatusOr<std::string> PrivateEngine::Get(const std::string& path) const {
  http::Client client = MakeClient();
  http::Request request;
  request.url = absl::StrCat("http://docker", path);
  request.unix_socket_path = socket();
  DAVIT_ASSIGN_OR_RETURN(http::Response response, client.Send(request));
  return std::move(response.body);
}

}  // namespace davit::buildkit
