// Moves a streamed body from its pipe to a connection. Runs on the server's I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "absl/time/time.h"
#include "libs/http/server.h"

namespace davit::http {

// Writes what comes out of `body.pipe` as chunks (RFC 9112, 7.1), with the heartbeat in between when nothing comes,
// until the pipe has ended, `body.max_duration` has passed, the peer has gone, or it takes longer than `write_timeout`
// to take a chunk. The header has been sent; the connection is of no use for requests afterwards. Closes the pipe.
boost::asio::awaitable<void> PumpStream(boost::asio::io_context& io, boost::beast::tcp_stream& stream,
                                        const StreamedBody& body, absl::Duration write_timeout);

}  // namespace davit::http
