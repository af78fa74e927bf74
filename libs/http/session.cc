// Implements session.h. What a small request and its answer cost is what matters here: what has come already is parsed
// without waiting, and what the socket takes is written without waiting.
#include "libs/http/session.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <tuple>
#include <utility>

namespace davit::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;

const auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadAhead = 64 << 10;
constexpr size_t kFirstRead = 16 << 10;            // of a request: a usual push as a whole
constexpr std::chrono::seconds kLinger(15);        // how long what a refused peer still sends is read and thrown away
constexpr size_t kLingerBytes = size_t{64} << 20;  // and how much of it

// Parses what has come already, to the end of the header or of the request; whether it comes to that end, or fails.
bool ParseBuffered(Session& session, bool whole, Session::Parser& parser, Session::ErrorCode& error) {
  parser.eager(whole);
  if (session.buffer.size() > 0) session.buffer.consume(parser.put(session.buffer.data(), error));
  if (error == beast::http::error::need_more) error = {};
  return error || (whole ? parser.is_done() : parser.is_header_done());
}

}  // namespace

std::chrono::steady_clock::duration TimeLimit(absl::Duration duration) {
  return absl::ToChronoNanoseconds(std::clamp(duration, absl::ZeroDuration(), absl::Hours(24)));
}

Session::Session(Tcp::socket socket, std::string remote, const ServerOptions& server_options)
    : stream(std::move(socket)), remote_address(std::move(remote)), options(server_options), buffer(kReadAhead) {}

void Session::Close() {
  ErrorCode ignored;
  stream.socket().shutdown(Tcp::socket::shutdown_both, ignored);
  stream.cancel();
  closed = true;
}

asio::awaitable<bool> Session::AwaitRequest() {
  if (buffer.size() > 0) {
    idle = false;
    co_return true;
  }
  idle = true;
  stream.expires_after(TimeLimit(options.keep_alive_timeout));
  auto [error, size] = co_await stream.async_read_some(buffer.prepare(kFirstRead), kUse);
  if (error) co_return false;
  buffer.commit(size);
  idle = false;
  co_return true;
}

asio::awaitable<Session::ErrorCode> Session::ReadHeader(Parser& parser) {
  ErrorCode error;
  if (ParseBuffered(*this, /*whole=*/false, parser, error)) co_return error;
  stream.expires_after(TimeLimit(options.header_timeout));
  std::tie(error, std::ignore) = co_await beast::http::async_read_header(stream, buffer, parser, kUse);
  co_return error;
}

asio::awaitable<Session::ErrorCode> Session::ReadBody(Parser& parser) {
  ErrorCode error;
  if (parser.is_done() || ParseBuffered(*this, /*whole=*/true, parser, error)) co_return error;
  stream.expires_after(TimeLimit(options.body_timeout));
  std::tie(error, std::ignore) = co_await beast::http::async_read(stream, buffer, parser, kUse);
  co_return error;
}

asio::awaitable<Session::ErrorCode> Session::Send(Response& message, bool header_only) {
  beast::http::response_serializer<beast::http::string_body> serializer(message);
  stream.expires_after(TimeLimit(options.write_timeout));
  ErrorCode error;
  if (header_only) {
    std::tie(error, std::ignore) = co_await beast::http::async_write_header(stream, serializer, kUse);
    co_return error;
  }
  beast::http::write(stream.socket(), serializer, error);
  if (error == asio::error::would_block) {
    std::tie(error, std::ignore) = co_await beast::http::async_write(stream, serializer, kUse);
  }
  co_return error;
}

asio::awaitable<void> Session::Linger(const bool& stopped) {
  stream.expires_after(kLinger);
  buffer.clear();
  for (size_t discarded = 0; discarded < kLingerBytes && !closed && !stopped;) {
    auto [error, size] = co_await stream.async_read_some(buffer.prepare(kReadAhead), kUse);
    if (error) co_return;
    discarded += size;
  }
}

}  // namespace davit::http
