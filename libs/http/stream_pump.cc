// Implements stream_pump.h. Two coroutines: one writes, one reads to see the peer go.
#include "libs/http/stream_pump.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <memory>

#include "libs/http/session.h"

// GCC 12 takes Asio's allocation and deletion of this file's coroutine frames for mismatched ones once they are
// inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace davit::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

const auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr size_t kMaxDiscarded = 64 << 10;  // of what a peer sends while it is sent a stream

// What the two coroutines and the pipe's notification share.
struct Pump {
  explicit Pump(asio::io_context& io) : wake(io) {}

  asio::steady_timer wake;  // cancelled when something happens
  bool peer_gone = false;
};

// Reads until the peer closes, or sends more than it should.
asio::awaitable<void> WatchPeer(beast::tcp_stream& stream, std::shared_ptr<Pump> pump) {
  std::array<char, 1024> discarded;
  size_t total = 0;
  while (total <= kMaxDiscarded) {
    auto [error, size] = co_await stream.socket().async_read_some(asio::buffer(discarded), kUse);
    if (error) break;
    total += size;
  }
  pump->peer_gone = true;
  pump->wake.cancel();
}

asio::awaitable<bool> WriteChunk(beast::tcp_stream& stream, const std::string& piece, absl::Duration timeout) {
  stream.expires_after(TimeLimit(timeout));
  auto [error, size] = co_await asio::async_write(stream, beast::http::make_chunk(asio::buffer(piece)), kUse);
  co_return !error;
}

}  // namespace

asio::awaitable<void> PumpStream(asio::io_context& io, beast::tcp_stream& stream, const StreamedBody& body,
                                 absl::Duration write_timeout) {
  const auto pump = std::make_shared<Pump>(io);
  body.pipe->OnReadable([&io, pump] { asio::post(io, [pump] { pump->wake.cancel(); }); });
  asio::co_spawn(io, WatchPeer(stream, pump), asio::detached);
  const auto end = std::chrono::steady_clock::now() + TimeLimit(body.max_duration);
  bool writable = true;
  while (writable && !pump->peer_gone && std::chrono::steady_clock::now() < end) {
    if (const std::optional<std::string> piece = body.pipe->TryRead()) {
      writable = co_await WriteChunk(stream, *piece, write_timeout);
      continue;
    }
    if (body.pipe->AtEnd()) break;
    pump->wake.expires_at(std::min(end, std::chrono::steady_clock::now() + TimeLimit(body.heartbeat_interval)));
    auto [woken] = co_await pump->wake.async_wait(kUse);
    if (!woken && !body.heartbeat.empty()) writable = co_await WriteChunk(stream, body.heartbeat, write_timeout);
  }
  body.pipe->OnReadable(nullptr);
  body.pipe->Close();
  error_code ignored;
  if (writable && !pump->peer_gone) {
    stream.expires_after(TimeLimit(write_timeout));
    co_await asio::async_write(stream, beast::http::make_chunk_last(), kUse);
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  stream.socket().cancel(ignored);
  pump->wake.expires_at(std::chrono::steady_clock::time_point::max());
  while (!pump->peer_gone) co_await pump->wake.async_wait(kUse);
}

}  // namespace davit::http
