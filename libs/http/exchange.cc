// Implements exchange.h.
#include "libs/http/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"

namespace davit::http {
namespace {

constexpr size_t kBufferHigh = 256 << 10;     // above this, receiving pauses
constexpr size_t kMaxHeadBytes = 256 << 10;   // of a response
constexpr int kCancelPollMilliseconds = 100;  // how late a cancellation may be noticed
constexpr int kPollMilliseconds = 1000;

void InitializeCurlOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

bool HasLineBreak(absl::string_view text) { return text.find_first_of(absl::string_view("\r\n\0", 3)) != text.npos; }

long ToCurlMilliseconds(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return 0;  // curl's "no limit"
  return static_cast<long>(std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, int64_t{1} << 30));
}

}  // namespace

HandlePool::~HandlePool() {
  for (const Idle& idle : idle_) curl_multi_cleanup(idle.handle);
}

CURLM* HandlePool::Take(absl::string_view origin) {
  InitializeCurlOnce();
  {
    absl::MutexLock lock(&mutex_);
    for (auto idle = idle_.rbegin(); idle != idle_.rend(); ++idle) {
      if (idle->origin != origin) continue;
      CURLM* handle = idle->handle;
      idle_.erase(std::next(idle).base());
      return handle;
    }
  }
  CURLM* handle = curl_multi_init();
  if (handle != nullptr) curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS, 1L);
  return handle;
}

void HandlePool::Return(std::string origin, CURLM* handle) {
  CURLM* evicted = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    idle_.push_back({std::move(origin), handle});
    if (idle_.size() > max_idle_) {
      evicted = idle_.front().handle;
      idle_.erase(idle_.begin());
    }
  }
  if (evicted != nullptr) curl_multi_cleanup(evicted);
}

Exchange::Exchange(std::shared_ptr<ClientState> state, const Request& request, const Url& url)
    : state_(std::move(state)), url_(url), request_(request) {
  head_.url = url.ToString();
}

Exchange::~Exchange() {
  if (added_) curl_multi_remove_handle(multi_, easy_);
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  if (multi_ != nullptr) state_->pool.Return(absl::StrCat(url_.Origin(), " ", request_.unix_socket_path), multi_);
  curl_slist_free_all(header_list_);
  curl_slist_free_all(resolve_list_);
}

absl::StatusOr<std::unique_ptr<Exchange>> Exchange::Start(std::shared_ptr<ClientState> state, const Request& request,
                                                          const Url& url, absl::Duration timeout) {
  if (request.unix_socket_path.empty()) DAVIT_RETURN_IF_ERROR(state->options.policy.CheckUrl(url));
  std::unique_ptr<Exchange> exchange(new Exchange(std::move(state), request, url));
  DAVIT_RETURN_IF_ERROR(exchange->Configure(timeout));
  DAVIT_RETURN_IF_ERROR(exchange->Pump());
  exchange->head_ready_ = true;
  return exchange;
}

absl::Status Exchange::Configure(absl::Duration timeout) {
  multi_ = state_->pool.Take(absl::StrCat(url_.Origin(), " ", request_.unix_socket_path));
  easy_ = curl_easy_init();
  if (multi_ == nullptr || easy_ == nullptr) return absl::ResourceExhaustedError("libcurl is out of memory");
  const ClientOptions& options = state_->options;
  curl_easy_setopt(easy_, CURLOPT_URL, head_.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // not even the environment's
  curl_easy_setopt(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, curl_message_);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, ToCurlMilliseconds(request_.connect_timeout));
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, ToCurlMilliseconds(timeout));
  if (!options.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
  for (const std::string& entry : options.resolve) resolve_list_ = curl_slist_append(resolve_list_, entry.c_str());
  if (resolve_list_ != nullptr) curl_easy_setopt(easy_, CURLOPT_RESOLVE, resolve_list_);
  if (!request_.unix_socket_path.empty()) {
    curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket_path.c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &OpenSocketThunk);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &ConnectedThunk);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &HeaderThunk);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &WriteThunk);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  DAVIT_RETURN_IF_ERROR(ConfigureBody());
  DAVIT_RETURN_IF_ERROR(ConfigureHeaders());
  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) return absl::InternalError("libcurl refused the request");
  added_ = true;
  return absl::OkStatus();
}

absl::Status Exchange::ConfigureBody() {
  const std::string& method = request_.method;
  if (method.empty() || !std::all_of(method.begin(), method.end(), absl::ascii_isupper)) {
    return absl::InvalidArgumentError("the request's method is not one");
  }
  if (request_.body_source) {
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &ReadThunk);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body_length));
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    return absl::OkStatus();
  }
  request_sent_ = true;  // as far as our callbacks are concerned
  if (method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method != "GET") {
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  return absl::OkStatus();
}

absl::Status Exchange::ConfigureHeaders() {
  for (const auto& [name, value] : request_.headers.fields()) {
    if (name.empty() || HasLineBreak(name) || absl::StrContains(name, ':') || HasLineBreak(value)) {
      return absl::InvalidArgumentError("a request header has a name or a value that cannot be sent");
    }
    // curl's notation: "Name;" is a header without a value, "Name:" would remove it.
    const std::string line = value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value);
    header_list_ = curl_slist_append(header_list_, line.c_str());
  }
  // No waiting for "100 Continue", and no content type that the caller did not give.
  if (!request_.headers.Has("Expect")) header_list_ = curl_slist_append(header_list_, "Expect:");
  if (!request_.headers.Has("Content-Type")) header_list_ = curl_slist_append(header_list_, "Content-Type:");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
  return absl::OkStatus();
}

absl::StatusOr<size_t> Exchange::Read(absl::Span<char> buffer) {
  if (buffer.empty()) return absl::InvalidArgumentError("reading a response needs a buffer");
  if (position_ == buffer_.size()) DAVIT_RETURN_IF_ERROR(Pump());
  const size_t count = std::min(buffer.size(), buffer_.size() - position_);
  std::memcpy(buffer.data(), buffer_.data() + position_, count);
  position_ += count;
  if (position_ == buffer_.size()) {
    buffer_.clear();
    position_ = 0;
  }
  return count;
}

bool Exchange::HasProgress() const {
  if (head_ready_) return position_ < buffer_.size();
  return head_complete_ && (request_sent_ || head_.status >= 400);
}

absl::Status Exchange::Pump() {
  if (paused_ && position_ == buffer_.size()) {
    paused_ = false;
    curl_easy_pause(easy_, CURLPAUSE_CONT);  // hands over what was held back, through OnBody
  }
  while (true) {
    if (!failure_.ok()) return failure_;
    if (done_ || HasProgress()) return absl::OkStatus();
    if (request_.cancelled != nullptr && request_.cancelled->load(std::memory_order_acquire)) {
      return Fail(absl::CancelledError(absl::StrCat("request to ", url_.Authority(), " was cancelled")));
    }
    int running = 0;
    if (curl_multi_perform(multi_, &running) != CURLM_OK) return Fail(absl::InternalError("libcurl failed"));
    if (running == 0) {
      int left = 0;
      const CURLMsg* message = curl_multi_info_read(multi_, &left);
      if (message == nullptr) return Fail(absl::InternalError("libcurl lost the request"));
      DAVIT_RETURN_IF_ERROR(Finish(message->data.result));
      continue;
    }
    if (HasProgress()) continue;
    const auto before = std::chrono::steady_clock::now();
    curl_multi_poll(multi_, nullptr, 0, request_.cancelled != nullptr ? kCancelPollMilliseconds : kPollMilliseconds,
                    nullptr);
    DAVIT_RETURN_IF_ERROR(CheckSpeed(absl::FromChrono(std::chrono::steady_clock::now() - before)));
  }
}

absl::Status Exchange::CheckSpeed(absl::Duration waited) {
  if (request_.low_speed_window <= absl::ZeroDuration()) return absl::OkStatus();
  window_ += waited;
  if (window_ < request_.low_speed_window) return absl::OkStatus();
  if (static_cast<double>(moved_) <
      static_cast<double>(request_.low_speed_bytes_per_second) * absl::ToDoubleSeconds(window_)) {
    return Fail(absl::DeadlineExceededError(absl::StrCat(url_.Authority(), ": slower than ",
                                                         request_.low_speed_bytes_per_second, " bytes per second for ",
                                                         absl::FormatDuration(request_.low_speed_window))));
  }
  window_ = absl::ZeroDuration();
  moved_ = 0;
  return absl::OkStatus();
}

absl::Status Exchange::Finish(CURLcode result) {
  done_ = true;
  if (result != CURLE_OK) return Fail(failure_.ok() ? StatusOf(result) : failure_);
  head_complete_ = request_sent_ = true;
  return absl::OkStatus();
}

absl::Status Exchange::Fail(absl::Status status) {
  failure_ = std::move(status);
  return failure_;
}

absl::Status Exchange::StatusOf(CURLcode result) const {
  const std::string host =
      request_.unix_socket_path.empty() ? url_.Authority() : absl::StrCat("unix:", request_.unix_socket_path);
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return absl::UnavailableError(absl::StrCat(host, ": the name cannot be resolved"));
    case CURLE_COULDNT_CONNECT:
    case CURLE_ABORTED_BY_CALLBACK:
      // The connection may also have failed at an address that is allowed; the refused one is what the user can act
      // upon.
      return refused_.ok() ? absl::UnavailableError(absl::StrCat(host, ": cannot connect")) : refused_;
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(absl::StrCat(host, ": timed out"));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return absl::FailedPreconditionError(absl::StrCat(host, ": certificate not trusted: ", curl_message_));
    default:
      return absl::UnavailableError(absl::StrCat(host, ": ", curl_easy_strerror(result)));
  }
}

size_t Exchange::OnHeader(absl::string_view line) {
  moved_ += static_cast<int64_t>(line.size());
  head_bytes_ += line.size();
  if (head_bytes_ > kMaxHeadBytes) {
    failure_ = absl::ResourceExhaustedError(
        absl::StrCat(url_.Authority(), ": response headers over ", kMaxHeadBytes, " bytes"));
    return 0;
  }
  if (head_complete_) return line.size();  // trailers
  const absl::string_view text = absl::StripAsciiWhitespace(line);
  if (absl::StartsWith(text, "HTTP/")) {
    head_.headers = Headers();
    const size_t space = text.find(' ');
    int status = 0;
    if (space != text.npos && absl::SimpleAtoi(text.substr(space + 1, 3), &status)) head_.status = status;
  } else if (text.empty()) {
    head_complete_ = head_.status >= 200;
  } else if (const size_t colon = text.find(':'); colon != text.npos) {
    head_.headers.Add(text.substr(0, colon), absl::StripAsciiWhitespace(text.substr(colon + 1)));
  }
  return line.size();
}

size_t Exchange::OnBody(absl::string_view bytes) {
  if (buffer_.size() - position_ >= kBufferHigh) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  const int64_t size = static_cast<int64_t>(bytes.size());
  moved_ += size;
  received_ += size;
  if (received_ > request_.max_response_bytes) {
    failure_ = absl::ResourceExhaustedError(
        absl::StrCat(url_.Authority(), ": response over ", request_.max_response_bytes, " bytes"));
    return 0;
  }
  buffer_.append(bytes.data(), bytes.size());
  return bytes.size();
}

size_t Exchange::OnReadRequest(absl::Span<char> buffer) {
  if (head_ready_) {
    failure_ = absl::UnavailableError(absl::StrCat(url_.Authority(), ": answered before the request was sent"));
    return CURL_READFUNC_ABORT;
  }
  const absl::StatusOr<size_t> count = request_.body_source(buffer);
  if (!count.ok()) {
    failure_ = count.status();
    return CURL_READFUNC_ABORT;
  }
  if (*count == 0) request_sent_ = true;
  moved_ += static_cast<int64_t>(*count);
  return *count;
}

curl_socket_t Exchange::OnOpenSocket(curl_sockaddr* address) {
  const bool unix_socket = !request_.unix_socket_path.empty();
  if (unix_socket != (address->family == AF_UNIX)) return CURL_SOCKET_BAD;
  if (!unix_socket) {
    absl::Status checked = state_->options.policy.CheckAddress(url_.host, url_.port, address->addr);
    if (!checked.ok()) {
      refused_ = std::move(checked);
      return CURL_SOCKET_BAD;
    }
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The second look, at the address that the connection really has, also when it was opened earlier.
int Exchange::OnConnected(const char* address) {
  if (!request_.unix_socket_path.empty()) return CURL_PREREQFUNC_OK;
  sockaddr_storage storage{};
  auto* ipv4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else if (inet_pton(AF_INET6, address, &ipv6->sin6_addr) == 1) {
    storage.ss_family = AF_INET6;
  }
  refused_ = state_->options.policy.CheckAddress(url_.host, url_.port, reinterpret_cast<const sockaddr&>(storage));
  return refused_.ok() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

size_t Exchange::HeaderThunk(char* data, size_t size, size_t count, void* self) {
  return static_cast<Exchange*>(self)->OnHeader(absl::string_view(data, size * count));
}

size_t Exchange::WriteThunk(char* data, size_t size, size_t count, void* self) {
  return static_cast<Exchange*>(self)->OnBody(absl::string_view(data, size * count));
}

size_t Exchange::ReadThunk(char* data, size_t size, size_t count, void* self) {
  return static_cast<Exchange*>(self)->OnReadRequest(absl::MakeSpan(data, size * count));
}

curl_socket_t Exchange::OpenSocketThunk(void* self, curlsocktype, curl_sockaddr* address) {
  return static_cast<Exchange*>(self)->OnOpenSocket(address);
}

int Exchange::ConnectedThunk(void* self, char* remote, char*, int, int) {
  return static_cast<Exchange*>(self)->OnConnected(remote);
}

}  // namespace davit::http
