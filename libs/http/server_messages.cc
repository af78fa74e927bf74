// Implements server_messages.h.
#include "libs/http/server_messages.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace davit::http {
namespace {

using Tcp = boost::asio::ip::tcp;

absl::string_view View(boost::beast::string_view text) { return absl::string_view(text.data(), text.size()); }

}  // namespace

absl::StatusOr<Tcp::endpoint> ParseListen(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("listen: ", listen, " is not ADDRESS:PORT"));
  }
  std::string host = listen.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  boost::system::error_code error;
  const boost::asio::ip::address address = boost::asio::ip::make_address(host, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("listen: ", host, " is not an IP address"));
  return Tcp::endpoint(address, static_cast<uint16_t>(port));
}

ServerResponse RenderText(int status, absl::string_view message) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, absl::StrCat(message, "\n")};
}

std::string HumanBytes(int64_t bytes) {
  if (bytes >= (1 << 20) && bytes % (1 << 20) == 0) return absl::StrCat(bytes >> 20, " MiB");
  if (bytes >= (1 << 10) && bytes % (1 << 10) == 0) return absl::StrCat(bytes >> 10, " KiB");
  return absl::StrCat(bytes, " bytes");
}

std::string HttpDate() {
  thread_local int64_t second = -1;
  thread_local std::string text;
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  if (now != second) {
    text = absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", absl::FromUnixSeconds(now), absl::UTCTimeZone());
    second = now;
  }
  return text;
}

ServerRequest HeadOf(const boost::beast::http::request<boost::beast::http::string_body>& message,
                     std::string remote_address) {
  ServerRequest request;
  request.method = std::string(message.method_string());
  const absl::string_view target = View(message.target());
  const size_t question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != target.npos) request.query = std::string(target.substr(question + 1));
  for (const auto& field : message) request.headers.Add(View(field.name_string()), View(field.value()));
  request.remote_address = std::move(remote_address);
  return request;
}

}  // namespace davit::http
