// One connection of a server: reads requests and sends messages, each step within its time. Knows nothing of handlers.
// Belongs to the I/O thread. For server.cc only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>

#include "libs/http/server.h"

namespace davit::http {

struct Session {
  using ErrorCode = boost::system::error_code;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  // `options` are the server's, and outlive the session. The socket must not block.
  Session(boost::asio::ip::tcp::socket socket, std::string remote, const ServerOptions& options);

  // Ends the connection, and what waits for it.
  void Close();

  // Waits until a request begins; false when none comes.
  boost::asio::awaitable<bool> AwaitRequest();
  boost::asio::awaitable<ErrorCode> ReadHeader(Parser& parser);
  // After ReadHeader.
  boost::asio::awaitable<ErrorCode> ReadBody(Parser& parser);
  // Sends a message, or only its header.
  boost::asio::awaitable<ErrorCode> Send(Response& message, bool header_only);
  // Reads on for a while, until `stopped`: closing a connection with unread bytes would reset it, and the peer would
  // not see the answer.
  boost::asio::awaitable<void> Linger(const bool& stopped);

  boost::beast::tcp_stream stream;
  const std::string remote_address;
  const ServerOptions& options;
  boost::beast::flat_buffer buffer;
  bool idle = true;  // between requests
  bool closed = false;
};

// A limit for expires_after.
std::chrono::steady_clock::duration TimeLimit(absl::Duration duration);

}  // namespace davit::http
