// The HTTP client that everything in Davit uses to reach servers that users name: libcurl under an AddressPolicy. A
// Client is thread-safe; a Request or a ResponseStream belongs to one thread at a time (its cancellation flag to any).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/http/address_policy.h"
#include "libs/http/headers.h"

namespace davit::http {

// Fills `buffer` with the next bytes of a request's body and returns how many; 0 ends the body; an error aborts the
// request and is what Send returns. May block.
using BodySource = std::function<absl::StatusOr<size_t>(absl::Span<char> buffer)>;

// Takes the next bytes of a response's body; an error aborts the request and is what Send returns.
using BodySink = std::function<absl::Status(absl::string_view bytes)>;

// One request. Everything has a usable default but the URL.
struct Request {
  std::string method = "GET";
  std::string url;  // http or https, without credentials
  Headers headers;

  // The body: `body`, or, when set, what `body_source` yields (chunked, unless `body_length` >= 0 announces its
  // length).
  std::string body;
  BodySource body_source;
  int64_t body_length = -1;

  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration timeout = absl::Seconds(30);  // for the whole exchange; absl::InfiniteDuration() for none
  // The request is given up when fewer than `low_speed_bytes_per_second` move for `low_speed_window`; zero duration:
  // never. Use it with an infinite `timeout` for large transfers. Time that the reader of a stream does not read counts
  // as stalled.
  absl::Duration low_speed_window = absl::ZeroDuration();
  int64_t low_speed_bytes_per_second = 1;

  // Larger response bodies end with RESOURCE_EXHAUSTED.
  int64_t max_response_bytes = int64_t{4} << 20;

  // Redirects to follow for GET and HEAD; each target is checked like the first, and Authorization, Cookie and the
  // headers in `sensitive_headers` are left behind when the origin changes. With 0 a redirect is an ordinary response.
  int max_redirects = 0;
  std::vector<std::string> sensitive_headers;

  // Connects to this unix socket instead of the URL's host; the address policy does not apply (the path is the
  // operator's choice).
  std::string unix_socket_path;

  // When set, the exchange ends with CANCELLED soon (100 ms) after this becomes true. Must outlive the exchange.
  const std::atomic<bool>* cancelled = nullptr;
};

// The head of a response. A status of 400 and above is a response like any other, not an error.
struct ResponseHead {
  int status = 0;
  Headers headers;
  std::string url;  // the one that answered: differs from the request's only after redirects; contains its query
};

// A whole response.
struct Response {
  int status = 0;
  Headers headers;
  std::string url;
  std::string body;
};

// A response whose body is read piece by piece; made by Client::Open. Not thread-safe. Destroying it early closes the
// connection.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;

  virtual const ResponseHead& head() const = 0;

  // Blocks until at least one byte of the body is there and copies up to buffer.size(); 0 is the end of the body. At
  // most a few hundred KiB are buffered: the server is not read faster than the caller reads. Errors as Client::Send.
  virtual absl::StatusOr<size_t> Read(absl::Span<char> buffer) = 0;
};

// Configuration of a Client.
struct ClientOptions {
  AddressPolicy policy = {};
  std::string user_agent = "davit";
  std::string ca_file = {};  // PEM bundle instead of the system's
  // "host:port:address" entries that replace name resolution, in curl's CURLOPT_RESOLVE form; the policy checks them
  // like any address.
  std::vector<std::string> resolve = {};
  size_t max_idle_connections = 16;  // connection pools that are kept for reuse
};

// Sends requests. Proxies and .netrc of the environment are ignored, certificates are always verified, idle connections
// are reused. Errors name the host, never credentials or the query:
//   INVALID_ARGUMENT    the URL is not usable: "scheme not allowed", "address not allowed" (also when found at connect)
//   UNAVAILABLE         name resolution, connection or transfer failed; worth retrying
//   FAILED_PRECONDITION the server's certificate is not trusted
//   DEADLINE_EXCEEDED   a time-out passed
//   RESOURCE_EXHAUSTED  the response is over a bound
//   CANCELLED           the request's flag was set
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const AddressPolicy& policy() const;

  // Sends and reads the whole response into memory.
  absl::StatusOr<Response> Send(const Request& request);

  // Sends and passes the body to `sink` as it arrives. The head comes back after the body; a sink that must know the
  // status first uses Open.
  absl::StatusOr<ResponseHead> Send(const Request& request, const BodySink& sink);

  // Sends the request (its whole body) and returns when the head of the response is there. `request.body_source` is not
  // called after that.
  absl::StatusOr<std::unique_ptr<ResponseStream>> Open(const Request& request);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace davit::http
