// Implements the probe over plain sockets.
#include "services/standalone/http_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace davit::standalone {
namespace {

absl::Status Unavailable(absl::string_view doing) {
  return absl::UnavailableError(absl::StrCat(doing, ": ", strerror(errno)));
}

absl::StatusOr<int> Ask(int fd, const struct sockaddr* address, socklen_t size, const std::string& path) {
  const struct timeval limit = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd, address, size) != 0) return Unavailable("connecting");
  const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\nHost: localhost\r\n\r\n");
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return Unavailable("asking");
  }
  char answer[64] = {};
  if (recv(fd, answer, sizeof answer - 1, MSG_WAITALL) <= 0) return Unavailable("reading the answer");
  std::vector<absl::string_view> words = absl::StrSplit(absl::string_view(answer), absl::MaxSplits(' ', 2));
  int code;
  if (words.size() < 2 || !absl::SimpleAtoi(words[1], &code)) return absl::UnavailableError("no HTTP answer");
  return code;
}

}  // namespace

absl::StatusOr<int> ProbeUnix(const std::string& socket_path, const std::string& path) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) return absl::InvalidArgumentError("socket path too long");
  memcpy(address.sun_path, socket_path.data(), socket_path.size());
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Unavailable("opening a socket");
  absl::StatusOr<int> code = Ask(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof address, path);
  close(fd);
  return code;
}

absl::StatusOr<int> ProbeTcp(const std::string& address_text, const std::string& path) {
  std::vector<std::string> parts = absl::StrSplit(address_text, absl::MaxSplits(':', 1));
  int port;
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &port) || port < 1 || port > 65535 ||
      inet_pton(AF_INET, parts[0].c_str(), &address.sin_addr) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(address_text, ": expected IPV4:PORT"));
  }
  address.sin_port = htons(static_cast<uint16_t>(port));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Unavailable("opening a socket");
  absl::StatusOr<int> code = Ask(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof address, path);
  close(fd);
  return code;
}

}  // namespace davit::standalone
