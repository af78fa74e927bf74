// Tests of server.h's streamed responses and streamed request bodies, over real sockets on the loopback interface.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/http/server.h"

namespace davit::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

// A TCP connection to the server that sends and receives exactly what a test says.
class RawConnection {
 public:
  explicit RawConnection(uint16_t port, int receive_buffer = 0) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawConnection() { close(socket_); }

  bool Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Reads until the text occurs or the server closes; "" as text reads until it closes.
  std::string ReadUntil(const std::string& text) {
    std::string received;
    char buffer[4096];
    while (text.empty() || received.find(text) == std::string::npos) {
      const ssize_t count = recv(socket_, buffer, sizeof(buffer), 0);
      if (count <= 0) break;
      received.append(buffer, static_cast<size_t>(count));
    }
    return received;
  }

 private:
  int socket_;
};

// Waits until the writer of a pipe is told that the server has closed it.
void AwaitClosed(BytePipe& pipe) {
  while (pipe.Write("x") == BytePipe::State::kReady) std::this_thread::yield();
  absl::Notification closed;
  pipe.WhenRoom([&closed] { closed.Notify(); });
  closed.WaitForNotification();
}

class ServerStreamTest : public ::testing::Test {
 protected:
  ServerStreamTest() : pipe_(std::make_shared<BytePipe>(16 << 10)) {}

  // Answers every request with the pipe.
  void ServePipe(StreamedBody body = {}) {
    body.pipe = pipe_;
    Serve([body](const ServerRequest&) {
      return ServerResponse{200, {{"Content-Type", "text/event-stream"}}, "", body};
    });
  }
  void Serve(Handler handler) {
    absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options_, std::move(handler));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  // Streams the bodies of requests, up to a limit.
  void StreamBodies(int64_t limit) {
    options_.plan = [limit](const ServerRequest&) {
      return RequestPlan{.body = RequestPlan::Body::kStreamed, .body_limit = limit};
    };
  }

  ServerOptions options_;
  const std::shared_ptr<BytePipe> pipe_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerStreamTest, SendsPiecesAsTheyComeAndEndsTheResponse) {
  ServePipe();
  RawConnection connection(server_->port());
  connection.Send(kGet);
  const std::string head = connection.ReadUntil("\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  pipe_->Write("first");
  EXPECT_THAT(connection.ReadUntil("first"), HasSubstr("5\r\nfirst"));
  pipe_->Write("second");
  pipe_->End();
  EXPECT_THAT(connection.ReadUntil(""), EndsWith("6\r\nsecond\r\n0\r\n\r\n"));
}

TEST_F(ServerStreamTest, ManyIdleStreamsHoldNoHandlerThread) {
  options_.handler_threads = 1;
  options_.max_waiting_requests = 200;
  std::vector<std::shared_ptr<BytePipe>> pipes;
  Serve([&pipes](const ServerRequest&) {
    pipes.push_back(std::make_shared<BytePipe>(1024));
    return ServerResponse{200, {}, "", StreamedBody{.pipe = pipes.back()}};
  });
  std::vector<std::unique_ptr<RawConnection>> connections;
  for (int i = 0; i < 100; ++i) {
    connections.push_back(std::make_unique<RawConnection>(server_->port()));
    connections.back()->Send(kGet);
    connections.back()->ReadUntil("\r\n\r\n");
  }
  for (const auto& pipe : pipes) pipe->Write("now");
  for (const auto& connection : connections) EXPECT_THAT(connection->ReadUntil("now"), HasSubstr("now"));
}

TEST_F(ServerStreamTest, APeerThatDoesNotReadStopsTheWriter) {
  ServePipe();
  RawConnection connection(server_->port(), 4096);
  connection.Send(kGet);
  connection.ReadUntil("\r\n\r\n");
  // The pipe and the sockets' buffers take so much and no more.
  size_t written = 0;
  absl::Notification stopped_long_enough;
  BytePipe::State state = BytePipe::State::kReady;
  while (written < (64 << 20)) {
    state = pipe_->Write(std::string(16 << 10, 'x'));
    written += 16 << 10;
    absl::Notification room;
    pipe_->WhenRoom([&room] { room.Notify(); });
    if (!room.WaitForNotificationWithTimeout(absl::Milliseconds(300))) {
      pipe_->WhenRoom([] {});
      break;
    }
  }
  EXPECT_EQ(state, BytePipe::State::kFull);
  EXPECT_LT(written, size_t{32} << 20);
}

TEST_F(ServerStreamTest, ClosesAStreamWhosePeerTakesNothingInTime) {
  options_.write_timeout = absl::Milliseconds(50);
  ServePipe();
  RawConnection connection(server_->port(), 4096);
  connection.Send(kGet);
  connection.ReadUntil("\r\n\r\n");
  while (pipe_->Write(std::string(16 << 10, 'x')) != BytePipe::State::kClosed) {
    absl::Notification room;
    pipe_->WhenRoom([&room] { room.Notify(); });
    room.WaitForNotification();
  }
}

TEST_F(ServerStreamTest, TellsTheWriterThatThePeerHasGone) {
  ServePipe();
  {
    RawConnection connection(server_->port());
    connection.Send(kGet);
    connection.ReadUntil("\r\n\r\n");
  }
  AwaitClosed(*pipe_);
}

TEST_F(ServerStreamTest, SendsHeartbeatsWhileNothingComes) {
  ServePipe({.heartbeat = ":\n\n", .heartbeat_interval = absl::Milliseconds(5)});
  RawConnection connection(server_->port());
  connection.Send(kGet);
  EXPECT_THAT(connection.ReadUntil("3\r\n:\n\n\r\n3\r\n:\n\n\r\n"), HasSubstr(":\n\n"));
}

TEST_F(ServerStreamTest, EndsAStreamAfterItsLongestTime) {
  ServePipe({.max_duration = absl::Milliseconds(20)});
  RawConnection connection(server_->port());
  connection.Send(kGet);
  EXPECT_THAT(connection.ReadUntil(""), EndsWith("\r\n0\r\n\r\n"));
  AwaitClosed(*pipe_);
}

TEST_F(ServerStreamTest, RefusesMoreStreamsThanItMayHold) {
  options_.max_streams = 1;
  Serve([](const ServerRequest&) {
    return ServerResponse{200, {}, "", StreamedBody{.pipe = std::make_shared<BytePipe>(10)}};
  });
  RawConnection first(server_->port()), second(server_->port());
  first.Send(kGet);
  first.ReadUntil("\r\n\r\n");
  second.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(second.ReadUntil(""), StartsWith("HTTP/1.1 503 "));
}

TEST_F(ServerStreamTest, DrainEndsStreamsAtOnceAndInOrder) {
  ServePipe();
  RawConnection connection(server_->port());
  connection.Send(kGet);
  connection.ReadUntil("\r\n\r\n");
  pipe_->Write("last words");
  server_->Drain(absl::Seconds(60));
  EXPECT_THAT(connection.ReadUntil(""), EndsWith("last words\r\n0\r\n\r\n"));
  EXPECT_EQ(pipe_->Write("x"), BytePipe::State::kClosed);
}

TEST_F(ServerStreamTest, AHeadRequestGetsNoStream) {
  ServePipe();
  RawConnection connection(server_->port());
  connection.Send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil(""), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(pipe_->Write("x"), BytePipe::State::kClosed);
}

TEST_F(ServerStreamTest, HandsAStreamedBodyOverPieceByPiece) {
  StreamBodies(int64_t{64} << 20);
  absl::Notification first_piece;
  Serve([&first_piece](const ServerRequest& request) {
    size_t total = 0;
    while (true) {
      const absl::StatusOr<std::string> piece = request.body_stream->Read();
      if (!piece.ok() || piece->empty()) break;
      if (!first_piece.HasBeenNotified()) first_piece.Notify();
      total += piece->size();
    }
    return ServerResponse{200, {}, absl::StrCat("took ", total)};
  });
  RawConnection connection(server_->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n");
  connection.Send(std::string(1000, 'x'));
  first_piece.WaitForNotification();
  connection.Send(std::string(20'000'000 - 1000, 'x'));
  EXPECT_THAT(connection.ReadUntil("took 20000000"), HasSubstr("took 20000000"));
  connection.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil(""), EndsWith("took 3"));
}

TEST_F(ServerStreamTest, AHandlerThatStopsReadingStopsTheSenderAndAnswers) {
  StreamBodies(int64_t{64} << 20);
  Serve([](const ServerRequest& request) {
    request.body_stream->Read().IgnoreError();
    return ServerResponse{409, {}, "enough"};
  });
  RawConnection connection(server_->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n");
  connection.Send(std::string(20'000'000, 'x'));
  EXPECT_THAT(connection.ReadUntil("enough"), StartsWith("HTTP/1.1 409 "));
}

TEST_F(ServerStreamTest, BoundsAStreamedBodyThatComesInChunks) {
  StreamBodies(1000);
  absl::Status seen;
  Serve([&seen](const ServerRequest& request) {
    absl::StatusOr<std::string> piece;
    do {
      piece = request.body_stream->Read();
    } while (piece.ok() && !piece->empty());
    seen = piece.status();
    return ServerResponse{200, {}, "never seen"};
  });
  RawConnection connection(server_->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) connection.Send(absl::StrCat("200\r\n", std::string(512, 'x'), "\r\n"));
  EXPECT_THAT(connection.ReadUntil("body over 1000 bytes"), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(seen, absl::ResourceExhaustedError("body over 1000 bytes"));
}

TEST_F(ServerStreamTest, TellsTheHandlerWhenTheSenderOfABodyStops) {
  StreamBodies(1000);
  absl::Notification told;
  absl::Status seen;
  Serve([&](const ServerRequest& request) {
    while (true) {
      const absl::StatusOr<std::string> piece = request.body_stream->Read();
      if (piece.ok()) continue;
      seen = piece.status();
      told.Notify();
      return ServerResponse{500};
    }
  });
  {
    RawConnection connection(server_->port());
    connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\nabc");
  }
  told.WaitForNotification();
  EXPECT_EQ(seen.code(), absl::StatusCode::kUnavailable);
}

TEST_F(ServerStreamTest, RefusesByTheHeaderWithoutReadingTheBody) {
  options_.plan = [](const ServerRequest& head) {
    RequestPlan plan{.body_limit = 10};
    if (!head.headers.Has("Authorization")) plan.refusal = ServerResponse{401, {}, "who?"};
    return plan;
  };
  Serve([](const ServerRequest&) { return ServerResponse{200, {}, "in"}; });
  RawConnection refused(server_->port()), too_large(server_->port()), taken(server_->port());
  refused.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(refused.ReadUntil("who?"), StartsWith("HTTP/1.1 401 "));
  too_large.Send("POST / HTTP/1.1\r\nHost: h\r\nAuthorization: x\r\nContent-Length: 11\r\n\r\n");
  EXPECT_THAT(too_large.ReadUntil("body over 10 bytes"), StartsWith("HTTP/1.1 413 "));
  taken.Send("POST / HTTP/1.1\r\nHost: h\r\nAuthorization: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  EXPECT_THAT(taken.ReadUntil(""), EndsWith("in"));
}

}  // namespace
}  // namespace davit::http
