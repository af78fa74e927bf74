// Implements git_http_server.h.
#include "libs/git/testing/git_http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

constexpr int kAttempts = 20;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// A port that was free a moment ago.
int FreePort() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

bool Answers(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool connected = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(descriptor);
  return connected;
}

std::string Configuration(const GitHttpServerOptions& options, const std::string& directory, int port) {
  std::string text = absl::StrCat(
      "server.modules = (\"mod_auth\", \"mod_authn_file\", \"mod_setenv\", \"mod_alias\", \"mod_cgi\")\n",
      "server.bind = \"127.0.0.1\"\nserver.port = ", port, "\n", "server.document-root = \"", directory, "/www\"\n",
      "server.errorlog = \"", directory, "/error.log\"\n", "server.upload-dirs = (\"", directory, "\")\n",
      "server.stream-response-body = 2\n",
      "alias.url = (\"/git\" => \"/usr/lib/git-core/git-http-backend\")\ncgi.assign = (\"\" => \"\")\n",
      "setenv.add-environment = (\"GIT_PROJECT_ROOT\" => \"", directory, "/repositories\", ",
      "\"GIT_HTTP_EXPORT_ALL\" => \"1\", \"GIT_CONFIG_GLOBAL\" => \"/dev/null\", \"GIT_CONFIG_NOSYSTEM\" => \"1\"");
  if (options.protocol == GitHttpServerOptions::Protocol::kVersion0) {
    absl::StrAppend(&text, ", \"GIT_PROTOCOL\" => \"version=0\"");
  }
  absl::StrAppend(&text, ")\n");
  if (!options.username.empty()) {
    absl::StrAppend(&text, "auth.backend = \"plain\"\nauth.backend.plain.userfile = \"", directory, "/users\"\n",
                    "auth.require = (\"\" => (\"method\" => \"basic\", \"realm\" => \"git\", ",
                    "\"require\" => \"valid-user\"))\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GitHttpServer>> GitHttpServer::Start(GitHttpServerOptions options) {
  std::unique_ptr<GitHttpServer> server(new GitHttpServer(std::move(options)));
  const std::string& directory = server->scratch_.path();
  std::filesystem::create_directories(directory + "/www");
  std::filesystem::create_directories(directory + "/repositories");
  std::ofstream(directory + "/users") << server->options_.username << ":" << server->options_.password << "\n";
  absl::Status status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    status = server->TryPort(FreePort());
    if (status.ok()) return server;
  }
  return status;
}

absl::Status GitHttpServer::TryPort(int port) {
  const std::string configuration = scratch_.path() + "/lighttpd.conf";
  std::ofstream(configuration) << Configuration(options_, scratch_.path(), port);
  process::SpawnOptions spawn;
  spawn.argv = {"/usr/sbin/lighttpd", "-D", "-f", configuration};
  spawn.parent_death_signal = SIGKILL;
  DAVIT_ASSIGN_OR_RETURN(process_, process::Process::Spawn(spawn));
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (absl::Now() < deadline) {
    // Another process may have taken the port; then lighttpd ends, and the answer comes from a stranger.
    if (process_->Poll().has_value()) return absl::UnavailableError("lighttpd did not start");
    if (Answers(port) && !process_->Poll().has_value()) {
      port_ = port;
      return absl::OkStatus();
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  return absl::DeadlineExceededError("lighttpd does not answer");
}

GitHttpServer::~GitHttpServer() { Stop(); }

void GitHttpServer::Stop() {
  if (process_ == nullptr) return;
  process_->Stop(SIGTERM, absl::Seconds(2)).IgnoreError();
  process_.reset();
}

std::string GitHttpServer::PathOf(const std::string& repository) const {
  return absl::StrCat(scratch_.path(), "/repositories/", repository);
}

std::string GitHttpServer::authority() const { return absl::StrCat("127.0.0.1:", port_); }

std::string GitHttpServer::UrlOf(const std::string& repository) const {
  return absl::StrCat("http://", authority(), "/git/", repository);
}

std::string GitHttpServer::UrlWithPasswordOf(const std::string& repository) const {
  return absl::StrCat("http://", options_.username, ":", options_.password, "@", authority(), "/git/", repository);
}

}  // namespace davit::git
