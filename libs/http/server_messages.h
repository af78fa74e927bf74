// What a server reads and writes around its handlers: addresses, heads, dates, messages. Pure functions; any thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/http/server.h"

namespace davit::http {

// Reads "ADDRESS:PORT", where the address is an IP address (IPv6 in brackets) or "localhost". INVALID_ARGUMENT
// `listen: …`.
absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseListen(const std::string& listen);

// The request without its body.
ServerRequest HeadOf(const boost::beast::http::request<boost::beast::http::string_body>& message,
                     std::string remote_address);

// An error as plain text.
ServerResponse RenderText(int status, absl::string_view message);

// "25 MiB", "16 KiB" or "123 bytes".
std::string HumanBytes(int64_t bytes);

// The time as a Date header has it.
std::string HttpDate();

}  // namespace davit::http
