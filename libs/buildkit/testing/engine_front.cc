// Makes the BuildKit inside a Docker engine look like a stand-alone buildkitd.
#include "libs/buildkit/testing/engine_front.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace davit::buildkit {
namespace {

sockaddr_un Name(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  return name;
}

// A connection to the engine that speaks HTTP/2 from here on; -1 when the engine does not want it.
int ConnectUpgraded(const std::string& engine_socket) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un name = Name(engine_socket);
  constexpr absl::string_view kUpgrade =
      "POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  if (connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0 &&
      write(fd, kUpgrade.data(), kUpgrade.size()) == static_cast<ssize_t>(kUpgrade.size())) {
    std::string head;
    char byte = 0;
    while (!absl::EndsWith(head, "\r\n\r\n") && read(fd, &byte, 1) == 1) head += byte;
    if (absl::StrContains(head, " 101 ")) return fd;
  }
  close(fd);
  return -1;
}

}  // namespace

EngineFront::EngineFront(const std::string& listen_path, std::string engine_socket)
    : engine_socket_(std::move(engine_socket)), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_un name = Name(listen_path);
  bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  listen(listener_, 8);
  acceptor_ = std::thread([this] { Accept(); });
}

EngineFront::~EngineFront() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  std::vector<std::thread> carriers;
  {
    absl::MutexLock lock(&mutex_);
    for (const int fd : sockets_) shutdown(fd, SHUT_RDWR);
    carriers.swap(carriers_);
  }
  for (std::thread& carrier : carriers) carrier.join();
  absl::MutexLock lock(&mutex_);
  for (const int fd : sockets_) close(fd);
  close(listener_);
}

void EngineFront::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int engine = ConnectUpgraded(engine_socket_);
    if (engine < 0) {
      close(client);
      continue;
    }
    absl::MutexLock lock(&mutex_);
    sockets_.insert(sockets_.end(), {client, engine});
    carriers_.emplace_back([this, client, engine] { Carry(client, engine); });
    carriers_.emplace_back([this, client, engine] { Carry(engine, client); });
  }
}

void EngineFront::Carry(int from, int to) {
  std::string buffer(64 << 10, '\0');
  while (true) {
    const ssize_t count = read(from, buffer.data(), buffer.size());
    if (count <= 0) break;
    for (ssize_t done = 0; done < count;) {
      const ssize_t sent = send(to, buffer.data() + done, count - done, MSG_NOSIGNAL);
      if (sent <= 0) {
        shutdown(from, SHUT_RDWR);
        return;
      }
      done += sent;
    }
  }
  shutdown(to, SHUT_RDWR);
}

}  // namespace davit::buildkit
