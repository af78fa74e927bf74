// Opens gRPC channels to BuildKit. Through a Docker engine: POST /grpc with an upgrade to h2c on the engine's API
// socket (moby's api/server/router/grpc), after whose 101 response the same descriptor speaks gRPC.
#include "libs/buildkit/connection.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/status/status_macros.h"

namespace davit::buildkit {
namespace {

// BuildKit sends messages of up to 16 MiB.
constexpr int kMaxMessageBytes = 16 << 20;
// What a stream may receive before it was read.
constexpr int kLookaheadBytes = 16 << 20;
// An upgrade response is a few hundred bytes.
constexpr size_t kMaxUpgradeResponseBytes = 16 << 10;

// Owns a descriptor until it is released.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

absl::Status Unavailable(const Address& address, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("BuildKit at ", address.ToString(), ": ", why));
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // A daemon that has to wait for its peer gathers output meanwhile, and Docker's loses its way with much of it
  // (solve.cc).
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  // Channels are per build: none may share another's connection and fate.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

// Sends the upgrade request and reads the response up to and including its blank line, byte by byte: what follows is
// gRPC's.
absl::Status Upgrade(const Address& address, int fd) {
  constexpr absl::string_view kRequest =
      "POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n";
  if (send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kRequest.size())) {
    return Unavailable(address, absl::StrCat("cannot write: ", strerror(errno)));
  }
  std::string response;
  while (!absl::EndsWith(response, "\r\n\r\n")) {
    char byte = 0;
    if (response.size() >= kMaxUpgradeResponseBytes) return Unavailable(address, "endless response to /grpc");
    const ssize_t count = read(fd, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Unavailable(address, "no response to /grpc");
    response += byte;
  }
  const std::string first_line = response.substr(0, response.find("\r\n"));
  if (!absl::StrContains(first_line, " 101 ")) {
    return Unavailable(address, absl::StrCat("the engine does not offer BuildKit: ", first_line));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectThroughEngine(const Address& address, absl::Duration timeout) {
  Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return Unavailable(address, strerror(errno));
  const timeval limit = absl::ToTimeval(timeout);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  address.location.copy(name.sun_path, sizeof(name.sun_path) - 1);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0) {
    return Unavailable(address, absl::StrCat("cannot connect: ", strerror(errno)));
  }
  DAVIT_RETURN_IF_ERROR(Upgrade(address, fd.get()));
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return Unavailable(address, strerror(errno));
  return grpc::CreateCustomInsecureChannelFromFd("docker", fd.Release(), Arguments());
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const Address& address, absl::Duration timeout) {
  if (address.kind == Address::Kind::kDockerEngine) return ConnectThroughEngine(address, timeout);
  const std::string target =
      address.kind == Address::Kind::kUnixSocket ? absl::StrCat("unix:", address.location) : address.location;
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), Arguments());
  if (!channel->WaitForConnected(absl::ToChronoTime(absl::Now() + timeout))) {
    return Unavailable(address, absl::StrCat("no connection within ", absl::FormatDuration(timeout)));
  }
  return channel;
}

}  // namespace davit::buildkit
