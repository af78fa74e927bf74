// An HTTP/1.1 server for services that face the network. One thread moves bytes (coroutines), a bounded pool runs
// handlers, so that a slow handler or a slow peer holds nothing else up. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/http/byte_pipe.h"
#include "libs/http/headers.h"

namespace davit::http {

// A request, completely read, or (RequestPlan) with a body that is still coming.
struct ServerRequest {
  std::string method;
  std::string path;   // percent-encoded as sent, without the query
  std::string query;  // without "?"
  Headers headers;
  std::string body;
  std::string remote_address;  // the peer's IP address
  // Instead of `body` when it is streamed: Read() it. Never null then; closed when it is answered. Its errors:
  // RESOURCE_EXHAUSTED over the limit, UNAVAILABLE when the peer has gone or is too slow.
  std::shared_ptr<BytePipe> body_stream = nullptr;
};

// A response's body that comes piece by piece, for as long as it takes: no thread waits for it, and a peer that does
// not read fills the pipe and so stops its writer. The server closes the pipe when the response has ended, however it
// did, and ends it when it drains.
struct StreamedBody {
  std::shared_ptr<BytePipe> pipe = nullptr;  // required
  std::string heartbeat = {};  // sent when nothing else was for `heartbeat_interval`, to see that the peer is there
  absl::Duration heartbeat_interval = absl::Seconds(15);
  absl::Duration max_duration = absl::InfiniteDuration();  // after it the response ends
};

// What a handler answers. Content-Length, Transfer-Encoding, Date and Connection are the server's business.
struct ServerResponse {
  int status = 200;
  Headers headers = {};
  std::string body = {};
  std::optional<StreamedBody> stream = std::nullopt;  // instead of `body`
};

// What is to be done with a request whose header has been read.
struct RequestPlan {
  enum class Body {
    kBuffered,  // the handler is called when the whole body is there
    kStreamed,  // the handler is called at once and reads the body itself
  };
  Body body = Body::kBuffered;
  int64_t body_limit = 0;                      // in bytes; more gets 413
  std::optional<ServerResponse> refusal = {};  // answered without reading the body
};

// Answers one request; called on the pool's threads, several at a time. Must not throw.
using Handler = std::function<ServerResponse(const ServerRequest&)>;

// Takes the answer to one request, on any thread; the first counts. When the last copy of it goes without an answer,
// the answer is 500.
using Responder = std::function<void(ServerResponse)>;

// Answers one request at once or later, with no thread of the server waiting meanwhile. Called on the I/O thread: it
// must not block, and what takes longer than a millisecond belongs on a thread of the handler's own. The request lives
// as long as the responder. Must not throw.
using AsyncHandler = std::function<void(const ServerRequest&, Responder)>;

// Plans a request by its header (`body` is empty). Called on the I/O thread: it must not block.
using RequestPlanner = std::function<RequestPlan(const ServerRequest& head)>;

// Makes the response for an error that the server itself finds (400, 413, 431, 500, 503).
using ErrorRenderer = std::function<ServerResponse(int status, absl::string_view message)>;

// Configuration of a Server. A connection whose peer exceeds a time-out is closed without an answer.
struct ServerOptions {
  std::string listen = "127.0.0.1:0";  // address:port; port 0 takes a free one
  int64_t body_limit = int64_t{1} << 20;
  int64_t header_limit = 16 << 10;                        // of all header fields with the request line; more gets 431
  absl::Duration header_timeout = absl::Seconds(10);      // from a request's first byte to the end of its header
  absl::Duration body_timeout = absl::Seconds(30);        // for a whole body, or for each piece of a streamed one
  absl::Duration keep_alive_timeout = absl::Seconds(60);  // between requests of a connection
  absl::Duration write_timeout = absl::Seconds(30);       // for a whole response
  int max_connections = 1024;                             // more wait in the listen backlog
  int max_streams = 256;                                  // streamed responses at a time; more get 503
  int64_t max_buffered_bytes = int64_t{256} << 20;        // of all bodies being read or handled; more get 503
  int handler_threads = 8;                                // that run a Handler; an AsyncHandler has none
  int max_waiting_requests = 64;    // taken and not answered, beyond handler_threads; more get 503 with Retry-After
  RequestPlanner plan = {};         // when empty, every body is buffered and limited by `body_limit`
  ErrorRenderer render_error = {};  // plain text when empty
};

// Serves from Start until Drain or destruction. Requests of one connection are handled one after the other, answers
// keep their order.
class Server {
 public:
  // Binds and starts. INVALID_ARGUMENT for an unusable `listen`, UNAVAILABLE when it cannot be bound.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options, Handler handler);
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options, AsyncHandler handler);

  // Drains without patience.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The bound port.
  uint16_t port() const;

  // Stops accepting, closes idle connections, ends streamed responses, lets requests that have begun finish for at most
  // `patience`, then closes what is left. Returns when every request that was taken has been answered. A second call
  // returns at once.
  void Drain(absl::Duration patience);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::http
