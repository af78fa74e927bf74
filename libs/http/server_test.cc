// Tests of server.h over real sockets on the loopback interface.
#include "libs/http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace davit::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A TCP connection to the server that sends and receives exactly what a test says.
class RawConnection {
 public:
  explicit RawConnection(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawConnection() { close(socket_); }

  bool connected() const { return connected_; }

  // Returns whether everything was accepted.
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
  bool connected_ = false;
};

ServerResponse Echo(const ServerRequest& request) {
  return {
      200, {{"Content-Type", "text/plain"}, {"X-Path", request.path}}, absl::StrCat(request.method, " ", request.body)};
}

std::unique_ptr<Server> StartServer(Handler handler, ServerOptions options = {}) {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

TEST(ServerTest, HandsTheWholeRequestToTheHandler) {
  ServerRequest seen;
  auto server = StartServer([&seen](const ServerRequest& request) {
    seen = request;
    return ServerResponse{201, {}, "made"};
  });
  RawConnection connection(server->port());
  connection.Send(
      "POST /a%20b/c?x=1&y HTTP/1.1\r\nHost: h\r\nX-Thing: v\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
  const std::string answer = connection.ReadUntil("");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 4\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nDate: "));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\nmade"));
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/a%20b/c");
  EXPECT_EQ(seen.query, "x=1&y");
  EXPECT_EQ(seen.headers.Get("x-thing"), "v");
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.remote_address, "127.0.0.1");
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  auto server = StartServer(&Echo);
  RawConnection connection(server->port());
  connection.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\noneGET /2 HTTP/1.1\r\nHost: h\r\n\r\nPOST / "
      "HTTP/1.1\r\nHost: "
      "h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthree");
  const std::string answer = connection.ReadUntil("");
  const size_t one = answer.find("POST one"), two = answer.find("GET "), three = answer.find("POST three");
  EXPECT_NE(three, std::string::npos);
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
}

TEST(ServerTest, ReadsRequestsThatComeInPieces) {
  auto server = StartServer(&Echo);
  const std::vector<std::string> requests = {
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};
  RawConnection connection(server->port());
  for (const std::string& request : requests) {
    for (size_t cut = 1; cut < request.size(); ++cut) {
      connection.Send(request.substr(0, cut));
      usleep(100);
      connection.Send(request.substr(cut));
      EXPECT_THAT(connection.ReadUntil("POST abcde"), StartsWith("HTTP/1.1 200 OK\r\n")) << "cut at " << cut;
    }
  }
}

TEST(ServerTest, SendsAnAnswerThatIsLargerThanTheSocketTakesAtOnce) {
  const std::string large(size_t{32} << 20, 'x');
  auto server = StartServer([&](const ServerRequest&) { return ServerResponse{200, {}, large}; });
  RawConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  usleep(50'000);
  const std::string answer = connection.ReadUntil("");
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, large.size());
}

TEST(ServerTest, ClosesAConnectionThatTakesItsAnswerTooSlowly) {
  ServerOptions options;
  options.write_timeout = absl::Milliseconds(50);
  const std::string large(size_t{32} << 20, 'x');
  auto server = StartServer([&](const ServerRequest&) { return ServerResponse{200, {}, large}; }, options);
  RawConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  usleep(200'000);
  EXPECT_LT(connection.ReadUntil("").size(), large.size());
}

TEST(ServerTest, ReadsChunkedBodies) {
  auto server = StartServer(&Echo);
  RawConnection connection(server->port());
  connection.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil(""), HasSubstr("POST abcde"));
}

TEST(ServerTest, AnswersHeadWithoutABody) {
  auto server = StartServer(&Echo);
  RawConnection connection(server->port());
  connection.Send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = connection.ReadUntil("");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
}

TEST(ServerTest, TellsTheClientToGoOnWhenItAsks) {
  auto server = StartServer(&Echo);
  RawConnection connection(server->port());
  connection.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  connection.Send("ok");
  EXPECT_THAT(connection.ReadUntil(""), HasSubstr("POST ok"));
}

TEST(ServerTest, RefusesABodyOverTheLimitWhileTheClientStillSends) {
  ServerOptions options;
  options.body_limit = 1 << 20;
  auto server = StartServer(&Echo, options);
  RawConnection connection(server->port());
  ASSERT_TRUE(connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n"));
  EXPECT_TRUE(connection.Send(std::string(8 << 20, 'x')));
  const std::string answer = connection.ReadUntil("");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, HasSubstr("body over 1 MiB"));
}

TEST(ServerTest, RefusesAChunkedBodyOverTheLimit) {
  ServerOptions options;
  options.body_limit = 10;
  auto server = StartServer(&Echo, options);
  RawConnection connection(server->port());
  connection.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil("body over 10 bytes"), StartsWith("HTTP/1.1 413 "));
}

TEST(ServerTest, RefusesAHeaderOverTheLimit) {
  auto server = StartServer(&Echo);
  RawConnection connection(server->port());
  connection.Send(absl::StrCat("GET / HTTP/1.1\r\nX: ", std::string(20 << 10, 'x'), "\r\n\r\n"));
  EXPECT_THAT(connection.ReadUntil("header over 16 KiB"), StartsWith("HTTP/1.1 431 "));
}

TEST(ServerTest, RefusesWhatIsNotHttp) {
  auto server = StartServer(&Echo);
  RawConnection connection(server->port());
  connection.Send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil("malformed request"), StartsWith("HTTP/1.1 400 "));
}

TEST(ServerTest, RendersItsOwnErrorsAsTheServiceWants) {
  ServerOptions options;
  options.body_limit = 1;
  options.render_error = [](int status, absl::string_view message) {
    return ServerResponse{
        status, {{"Content-Type", "application/json"}}, absl::StrCat("{\"error\":\"", message, "\"}")};
  };
  auto server = StartServer(&Echo, options);
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_THAT(connection.ReadUntil("}"), HasSubstr("{\"error\":\"body over 1 bytes\"}"));
}

TEST(ServerTest, ClosesAConnectionThatSendsItsHeaderTooSlowly) {
  ServerOptions options;
  options.header_timeout = absl::Milliseconds(50);
  auto server = StartServer(&Echo, options);
  RawConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nX: ");
  EXPECT_EQ(connection.ReadUntil(""), "");
}

TEST(ServerTest, ClosesAConnectionThatSendsItsBodyTooSlowly) {
  ServerOptions options;
  options.body_timeout = absl::Milliseconds(50);
  auto server = StartServer(&Echo, options);
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(connection.ReadUntil(""), "");
}

TEST(ServerTest, ClosesAnIdleConnection) {
  ServerOptions options;
  options.keep_alive_timeout = absl::Milliseconds(50);
  auto server = StartServer(&Echo, options);
  RawConnection connection(server->port());
  EXPECT_EQ(connection.ReadUntil(""), "");
}

TEST(ServerTest, SaysThatItIsBusyWhenEveryHandlerIsTaken) {
  absl::Notification entered, leave;
  ServerOptions options;
  options.handler_threads = 1;
  options.max_waiting_requests = 0;
  auto server = StartServer(
      [&](const ServerRequest&) {
        entered.Notify();
        leave.WaitForNotification();
        return ServerResponse{200, {}, "late"};
      },
      options);
  RawConnection first(server->port()), second(server->port());
  first.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  entered.WaitForNotification();
  second.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string busy = second.ReadUntil("");
  EXPECT_THAT(busy, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(busy, HasSubstr("Retry-After: 1\r\n"));
  leave.Notify();
  EXPECT_THAT(first.ReadUntil(""), HasSubstr("late"));
}

// Keeps requests for later.
class Shelf {
 public:
  AsyncHandler handler() {
    return [this](const ServerRequest& request, Responder respond) {
      absl::MutexLock lock(&mutex_);
      kept_.emplace_back(&request, std::move(respond));
    };
  }

  // Waits until there are so many, and takes them.
  std::vector<std::pair<const ServerRequest*, Responder>> Take(size_t count) {
    const auto enough = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return kept_.size() >= count; };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&enough));
    return std::exchange(kept_, {});
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::pair<const ServerRequest*, Responder>> kept_ ABSL_GUARDED_BY(mutex_);
};

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST(ServerTest, ManyAnswersMayComeLaterAndInAnyOrder) {
  Shelf shelf;
  auto server = *Server::Start({}, shelf.handler());
  std::vector<std::unique_ptr<RawConnection>> connections;
  for (int i = 0; i < 20; ++i) {
    connections.push_back(std::make_unique<RawConnection>(server->port()));
    connections.back()->Send(
        absl::StrCat("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n", 10 + i));
  }
  auto kept = shelf.Take(20);
  std::reverse(kept.begin(), kept.end());
  for (auto& [request, respond] : kept) respond({200, {}, absl::StrCat("answer to ", request->body)});
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(connections[static_cast<size_t>(i)]->ReadUntil(""), HasSubstr(absl::StrCat("answer to ", 10 + i)));
  }
}

TEST(ServerTest, OnlyTheFirstAnswerCounts) {
  Shelf shelf;
  auto server = *Server::Start({}, shelf.handler());
  RawConnection connection(server->port());
  connection.Send(kGet);
  auto kept = shelf.Take(1);
  kept[0].second({200, {}, "first"});
  kept[0].second({200, {}, "second"});
  EXPECT_THAT(connection.ReadUntil(""), HasSubstr("first"));
}

TEST(ServerTest, ARequestThatNobodyAnswersGetsAnError) {
  Shelf shelf;
  auto server = *Server::Start({}, shelf.handler());
  RawConnection connection(server->port());
  connection.Send(kGet);
  shelf.Take(1).clear();
  EXPECT_THAT(connection.ReadUntil(""), StartsWith("HTTP/1.1 500 "));
}

TEST(ServerTest, SaysThatItIsBusyWhenTooManyAreNotAnswered) {
  Shelf shelf;
  ServerOptions options;
  options.handler_threads = 1;
  options.max_waiting_requests = 1;
  auto server = *Server::Start(options, shelf.handler());
  RawConnection first(server->port()), second(server->port()), third(server->port()), fourth(server->port());
  first.Send(kGet);
  second.Send(kGet);
  auto kept = shelf.Take(2);
  third.Send(kGet);
  EXPECT_THAT(third.ReadUntil(""), StartsWith("HTTP/1.1 503 "));
  for (auto& [request, respond] : kept) respond({200, {}, "late"});
  EXPECT_THAT(first.ReadUntil(""), HasSubstr("late"));
  EXPECT_THAT(second.ReadUntil(""), HasSubstr("late"));
  fourth.Send(kGet);
  shelf.Take(1)[0].second({200, {}, "again"});
  EXPECT_THAT(fourth.ReadUntil(""), HasSubstr("again"));
}

TEST(ServerTest, DrainWaitsForAnswersThatComeLater) {
  Shelf shelf;
  auto server = *Server::Start({}, shelf.handler());
  RawConnection connection(server->port()), idle(server->port());
  connection.Send(kGet);
  auto kept = shelf.Take(1);
  std::thread drain([&server] { server->Drain(absl::Seconds(20)); });
  EXPECT_EQ(idle.ReadUntil(""), "");
  kept[0].second({200, {}, "finished"});
  kept.clear();
  EXPECT_THAT(connection.ReadUntil(""), HasSubstr("finished"));
  drain.join();
}

TEST(ServerTest, BoundsTheMemoryThatBodiesTake) {
  ServerOptions options;
  options.max_buffered_bytes = 1000;
  auto server = StartServer(&Echo, options);
  RawConnection slow(server->port()), second(server->port());
  slow.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(slow.ReadUntil("\r\n\r\n"), HasSubstr(" 100 "));
  second.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600\r\n\r\n");
  EXPECT_THAT(second.ReadUntil("busy"), StartsWith("HTTP/1.1 503 "));
  slow.Send(std::string(600, 'x'));
  EXPECT_THAT(slow.ReadUntil(""), HasSubstr("POST xxx"));
  RawConnection third(server->port());
  third.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600\r\nConnection: close\r\n\r\n" + std::string(600, 'y'));
  EXPECT_THAT(third.ReadUntil(""), HasSubstr("POST yyy"));
}

TEST(ServerTest, AHandlerThatThrowsGetsAnAnswer) {
  auto server = StartServer([](const ServerRequest&) -> ServerResponse { throw 1; });
  RawConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil(""), StartsWith("HTTP/1.1 500 "));
}

TEST(ServerTest, DrainLetsARequestFinishAndClosesIdleConnections) {
  absl::Notification entered, leave;
  auto server = StartServer([&](const ServerRequest&) {
    entered.Notify();
    leave.WaitForNotification();
    return ServerResponse{200, {}, "finished"};
  });
  RawConnection busy(server->port()), idle(server->port());
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  entered.WaitForNotification();
  std::thread drain([&server] { server->Drain(absl::Seconds(20)); });
  EXPECT_EQ(idle.ReadUntil(""), "");
  EXPECT_FALSE(RawConnection(server->port()).connected());
  leave.Notify();
  const std::string answer = busy.ReadUntil("");
  EXPECT_THAT(answer, HasSubstr("finished"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  drain.join();
  server->Drain(absl::Seconds(20));
}

TEST(ServerTest, DrainClosesWhatDoesNotFinishInTime) {
  auto server = StartServer(&Echo);
  RawConnection connection(server->port());
  connection.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  server->Drain(absl::Milliseconds(20));
  EXPECT_EQ(connection.ReadUntil(""), "");
}

TEST(ServerTest, HoldsBackConnectionsOverItsLimitUntilOthersEnd) {
  ServerOptions options;
  options.max_connections = 1;
  auto server = StartServer(&Echo, options);
  auto first = std::make_unique<RawConnection>(server->port());
  first->Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(first->ReadUntil("GET "), HasSubstr("200 OK"));
  RawConnection second(server->port());
  second.Send("GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  first.reset();
  EXPECT_THAT(second.ReadUntil(""), HasSubstr("X-Path: /2"));
}

TEST(ServerTest, RefusesAnUnusableAddress) {
  for (const char* listen : {"", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "host.example:1"}) {
    ServerOptions options;
    options.listen = listen;
    EXPECT_EQ(Server::Start(options, &Echo).status().code(), absl::StatusCode::kInvalidArgument) << listen;
  }
}

TEST(ServerTest, SaysWhenItsPortIsTaken) {
  auto server = StartServer(&Echo);
  ServerOptions options;
  options.listen = absl::StrCat("127.0.0.1:", server->port());
  EXPECT_EQ(Server::Start(options, &Echo).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace davit::http
