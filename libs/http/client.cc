// Implements client.h: redirects and whole-body reads over exchange.h.
#include "libs/http/client.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "libs/http/exchange.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"

namespace davit::http {
namespace {

constexpr size_t kReadBytes = 64 << 10;

bool IsRedirect(const Request& request, const ResponseHead& head) {
  if (request.method != "GET" && request.method != "HEAD") return false;
  switch (head.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return head.headers.Has("Location");
    default:
      return false;
  }
}

void DropSecrets(Request& request) {
  for (const char* name : {"Authorization", "Cookie"}) request.headers.Remove(name);
  for (const std::string& name : request.sensitive_headers) request.headers.Remove(name);
}

}  // namespace

class Client::Impl : public ClientState {
 public:
  using ClientState::ClientState;
};

Client::Client(ClientOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}

Client::~Client() = default;

const AddressPolicy& Client::policy() const { return impl_->options.policy; }

absl::StatusOr<std::unique_ptr<ResponseStream>> Client::Open(const Request& request) {
  DAVIT_ASSIGN_OR_RETURN(Url url, Url::Parse(request.url));
  const auto start = std::chrono::steady_clock::now();
  Request hop = request;
  for (int redirects = 0;; ++redirects) {
    const absl::Duration left = request.timeout - absl::FromChrono(std::chrono::steady_clock::now() - start);
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(absl::StrCat(url.Authority(), ": timed out"));
    }
    DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<Exchange> exchange, Exchange::Start(impl_, hop, url, left));
    if (request.max_redirects <= 0 || !IsRedirect(request, exchange->head())) return exchange;
    if (redirects == request.max_redirects) {
      return absl::FailedPreconditionError(
          absl::StrCat(url.Authority(), ": more than ", request.max_redirects, " redirects"));
    }
    DAVIT_ASSIGN_OR_RETURN(Url target, url.Resolve(*exchange->head().headers.Get("Location")));
    if (target.Origin() != url.Origin()) DropSecrets(hop);
    url = std::move(target);
  }
}

absl::StatusOr<ResponseHead> Client::Send(const Request& request, const BodySink& sink) {
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<ResponseStream> stream, Open(request));
  std::string buffer(kReadBytes, '\0');
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const size_t count, stream->Read(absl::MakeSpan(buffer)));
    if (count == 0) return stream->head();
    DAVIT_RETURN_IF_ERROR(sink(absl::string_view(buffer.data(), count)));
  }
}

absl::StatusOr<Response> Client::Send(const Request& request) {
  Response response;
  DAVIT_ASSIGN_OR_RETURN(ResponseHead head, Send(request, [&response](absl::string_view bytes) {
                           response.body.append(bytes.data(), bytes.size());
                           return absl::OkStatus();
                         }));
  response.status = head.status;
  response.headers = std::move(head.headers);
  response.url = std::move(head.url);
  return response;
}

}  // namespace davit::http
