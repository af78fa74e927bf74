// A request that a server has taken, and its one answer on the way back. For server.cc only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "absl/synchronization/mutex.h"
#include "libs/http/server.h"

namespace davit::http {

// What the coroutine of a connection waits for. Belongs to the I/O thread, but for `request`, which nobody changes.
struct Handling {
  explicit Handling(boost::asio::io_context& io) : finished(io, std::chrono::steady_clock::time_point::max()) {}

  ServerRequest request;
  bool taken = false;  // by the handler
  std::optional<ServerResponse> response;
  boost::asio::steady_timer finished;  // cancelled when the response is there
};

// Brings the answer to the I/O thread, from whatever thread gives it. Keeps the request alive. Thread-safe.
class Reply {
 public:
  Reply(boost::asio::io_context& io, std::shared_ptr<Handling> handling, ErrorRenderer render_error);
  // Answers 500 when nobody has answered: a connection never waits for ever.
  ~Reply();
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  // The first answer counts.
  void Send(ServerResponse response);

 private:
  boost::asio::io_context& io_;
  const ErrorRenderer render_error_;
  absl::Mutex mutex_;
  std::shared_ptr<Handling> handling_;  // null when the answer was given
};

}  // namespace davit::http
