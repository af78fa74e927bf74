// One HTTP exchange over a private curl multi handle: the part of client.h that touches libcurl. Belongs to one thread
// at a time.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "libs/http/client.h"
#include "libs/http/url.h"

namespace davit::http {

// Keeps curl multi handles, and in them idle connections, for reuse by the next exchange with the same origin.
// Thread-safe.
class HandlePool {
 public:
  explicit HandlePool(size_t max_idle) : max_idle_(max_idle) {}
  ~HandlePool();

  // A handle, if possible one that was last used with `origin`. Null when out of memory.
  CURLM* Take(absl::string_view origin);

  // Gives a handle without running transfers back; the longest unused one goes when there are too many.
  void Return(std::string origin, CURLM* handle);

 private:
  struct Idle {
    std::string origin;
    CURLM* handle;
  };

  const size_t max_idle_;
  absl::Mutex mutex_;
  std::vector<Idle> idle_ ABSL_GUARDED_BY(mutex_);  // longest unused first
};

// What exchanges share; alive as long as one of them or the client is.
struct ClientState {
  explicit ClientState(ClientOptions given) : options(std::move(given)), pool(options.max_idle_connections) {}

  const ClientOptions options;
  HandlePool pool;
};

// See ResponseStream. Made by Start, which does not follow redirects.
class Exchange final : public ResponseStream {
 public:
  // Checks the URL against the policy, sends the request, and returns when the head of the response is there. `url` is
  // `request.url` parsed. At most `timeout` may pass, whatever the request says.
  static absl::StatusOr<std::unique_ptr<Exchange>> Start(std::shared_ptr<ClientState> state, const Request& request,
                                                         const Url& url, absl::Duration timeout);
  ~Exchange() override;

  const ResponseHead& head() const override { return head_; }
  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override;

 private:
  Exchange(std::shared_ptr<ClientState> state, const Request& request, const Url& url);

  absl::Status Configure(absl::Duration timeout);
  absl::Status ConfigureBody();
  absl::Status ConfigureHeaders();
  // Whether there is what the caller waits for: at first the head of the response, with the request sent; then bytes of
  // the body.
  bool HasProgress() const;
  // Moves bytes until HasProgress or the end of the exchange.
  absl::Status Pump();
  absl::Status CheckSpeed(absl::Duration waited);
  absl::Status Finish(CURLcode result);
  absl::Status StatusOf(CURLcode result) const;
  absl::Status Fail(absl::Status status);

  size_t OnHeader(absl::string_view line);
  size_t OnBody(absl::string_view bytes);
  size_t OnReadRequest(absl::Span<char> buffer);
  curl_socket_t OnOpenSocket(curl_sockaddr* address);
  int OnConnected(const char* address);

  static size_t HeaderThunk(char* data, size_t size, size_t count, void* self);
  static size_t WriteThunk(char* data, size_t size, size_t count, void* self);
  static size_t ReadThunk(char* data, size_t size, size_t count, void* self);
  static curl_socket_t OpenSocketThunk(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int ConnectedThunk(void* self, char* remote, char* local, int remote_port, int local_port);

  const std::shared_ptr<ClientState> state_;
  const Url url_;
  Request request_;
  CURL* easy_ = nullptr;
  CURLM* multi_ = nullptr;
  bool added_ = false;  // easy_ is in multi_
  curl_slist* header_list_ = nullptr;
  curl_slist* resolve_list_ = nullptr;
  char curl_message_[CURL_ERROR_SIZE] = "";

  ResponseHead head_;
  size_t head_bytes_ = 0;
  bool head_complete_ = false;  // by what was received
  bool head_ready_ = false;     // Start has returned
  bool request_sent_ = false;
  bool done_ = false;
  bool paused_ = false;
  std::string buffer_;  // received and not yet read, from position_
  size_t position_ = 0;
  int64_t received_ = 0;   // bytes of the body
  int64_t moved_ = 0;      // bytes in both directions since the low-speed window began
  absl::Duration window_;  // how much of the low-speed window has passed
  absl::Status failure_;   // decided by a callback; stays
  absl::Status refused_;   // the last address that the policy refused
};

}  // namespace davit::http
