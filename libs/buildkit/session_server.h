// A gRPC server without a socket: whoever owns it carries its bytes. BuildKit calls it through the bytes of a session.
// Thread-safe; each call runs its handler in a thread of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace davit::buildkit {

// One call that a client made. Read and Write may be used at the same time, each by one thread.
class ServerCall {
 public:
  virtual ~ServerCall() = default;

  // What the client sent before its first message, without HTTP/2's pseudo headers. Names are lower case.
  virtual const std::multimap<std::string, std::string>& metadata() const = 0;

  // Waits for the client's next message. False when there is none: the client has sent all, or the call is over.
  virtual bool Read(std::string* message) = 0;

  // Sends a message. With `more_follows` it may be held back until one is written without it, or until a good piece has
  // gathered: a listing of many small messages is then sent in few. Waits while the client does not keep up. False when
  // the call is over.
  virtual bool Write(absl::string_view message, bool more_follows) = 0;
};

// Serves gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) without compression, with
// nghttp2. It costs a fraction of what grpc::Server over a pair of sockets does for tens of thousands of small
// messages: those leave in full frames, and none passes a kernel or a completion queue (decision 0011).
class SessionServer {
 public:
  // Serves one call; the status that it returns ends the call. An answer of a unary call is one Write.
  using Handler = std::function<absl::Status(ServerCall& call)>;

  // Handlers by their path, such as "/grpc.health.v1.Health/Check". Other paths are UNIMPLEMENTED.
  explicit SessionServer(std::map<std::string, Handler> methods);

  // Ends as Close does and waits for the handlers.
  ~SessionServer();

  SessionServer(const SessionServer&) = delete;
  SessionServer& operator=(const SessionServer&) = delete;

  // Takes bytes that the client sent. UNAVAILABLE when they are not HTTP/2 or the connection is at its end.
  absl::Status Receive(absl::string_view bytes);

  // Waits for bytes for the client and replaces `bytes` by at most about `limit` of them; false when there will be none
  // any more. For one thread.
  bool TakeOutput(std::string* bytes, size_t limit);

  // Ends every call: Read and Write of the handlers return false, TakeOutput as well.
  void Close();

 private:
  class Connection;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace davit::buildkit
