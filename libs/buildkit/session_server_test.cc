// Tests of libs/buildkit/session_server.h with gRPC's own client on the other side of a pair of sockets.
#include "libs/buildkit/session_server.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "fsutil/types/wire.pb.h"
#include "moby/filesync/v1/filesync.grpc.pb.h"

namespace davit::buildkit {
namespace {

using fsutil::types::Packet;
using moby::filesync::v1::Auth;
using moby::filesync::v1::CredentialsRequest;
using moby::filesync::v1::CredentialsResponse;
using moby::filesync::v1::FileSync;

// Carries the bytes between a server and gRPC's client.
class Connected {
 public:
  explicit Connected(std::map<std::string, SessionServer::Handler> methods) : server_(std::move(methods)) {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    carrier_ = pair[1];
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomInsecureChannelFromFd("test", pair[0], arguments);
    to_client_ = std::thread([this] {
      std::string bytes;
      while (server_.TakeOutput(&bytes, 100000)) {
        for (size_t at = 0; at < bytes.size();) {
          const ssize_t count = send(carrier_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
          if (count <= 0) return;
          at += count;
        }
      }
    });
    to_server_ = std::thread([this] {
      std::string buffer(1000, '\0');
      while (true) {
        const ssize_t count = read(carrier_, buffer.data(), buffer.size());
        if (count <= 0 || !server_.Receive({buffer.data(), static_cast<size_t>(count)}).ok()) return;
      }
    });
  }

  ~Connected() {
    channel_.reset();
    server_.Close();
    shutdown(carrier_, SHUT_RDWR);
    to_client_.join();
    to_server_.join();
    close(carrier_);
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  SessionServer& server() { return server_; }

 private:
  SessionServer server_;
  int carrier_ = -1;
  std::shared_ptr<grpc::Channel> channel_;
  std::thread to_client_;
  std::thread to_server_;
};

constexpr char kCredentials[] = "/moby.filesync.v1.Auth/Credentials";
constexpr char kDiffCopy[] = "/moby.filesync.v1.FileSync/DiffCopy";

// Answers with the host's length as the user.
absl::Status AnswerLength(ServerCall& call) {
  std::string message;
  if (!call.Read(&message)) return absl::InvalidArgumentError("no request");
  CredentialsRequest request;
  request.ParseFromString(message);
  CredentialsResponse response;
  response.set_username(std::to_string(request.host().size()));
  call.Write(response.SerializeAsString(), false);
  return absl::OkStatus();
}

grpc::Status AskLength(const std::shared_ptr<grpc::Channel>& channel, const std::string& host,
                       CredentialsResponse* response) {
  grpc::ClientContext context;
  CredentialsRequest request;
  request.set_host(host);
  return Auth::NewStub(channel)->Credentials(&context, request, response);
}

TEST(SessionServerTest, AnswersAUnaryCall) {
  const Connected connected({{kCredentials, AnswerLength}});
  CredentialsResponse response;
  const grpc::Status status = AskLength(connected.channel(), "registry.example", &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.username(), "16");
}

TEST(SessionServerTest, TakesARequestThatIsLargerThanTheFlowControlWindows) {
  const Connected connected({{kCredentials, AnswerLength}});
  CredentialsResponse response;
  const grpc::Status status = AskLength(connected.channel(), std::string(3 << 20, 'x'), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.username(), std::to_string(3 << 20));
}

TEST(SessionServerTest, PassesOnTheHandlersErrorWhateverItsTextHolds) {
  const std::string text = "100 % of \"füße\"\nare gone";
  const Connected connected({{kCredentials, [&](ServerCall&) { return absl::NotFoundError(text); }}});
  CredentialsResponse response;
  const grpc::Status status = AskLength(connected.channel(), "a", &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), text);
}

TEST(SessionServerTest, CutsAnErrorsTextToWhatFitsIntoTrailers) {
  const Connected connected(
      {{kCredentials, [](ServerCall&) { return absl::InternalError(std::string(1 << 20, 'e')); }}});
  CredentialsResponse response;
  const grpc::Status status = AskLength(connected.channel(), "a", &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().substr(0, 3), "eee");
}

TEST(SessionServerTest, AnotherMethodIsUnimplemented) {
  const Connected connected({{kCredentials, AnswerLength}});
  grpc::ClientContext context;
  const auto stream = FileSync::NewStub(connected.channel())->DiffCopy(&context);
  Packet packet;
  EXPECT_FALSE(stream->Read(&packet));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(SessionServerTest, StreamsManySmallMessagesInOrder) {
  constexpr int kMessages = 20000;
  const Connected connected({{kDiffCopy, [](ServerCall& call) {
                                Packet packet;
                                for (int i = 1; i <= kMessages; ++i) {
                                  packet.set_id(i);
                                  if (!call.Write(packet.SerializeAsString(), i < kMessages)) {
                                    return absl::CancelledError("over");
                                  }
                                }
                                return absl::OkStatus();
                              }}});
  grpc::ClientContext context;
  const auto stream = FileSync::NewStub(connected.channel())->DiffCopy(&context);
  Packet packet;
  int count = 0;
  while (stream->Read(&packet)) ASSERT_EQ(packet.id(), ++count);
  EXPECT_EQ(count, kMessages);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(SessionServerTest, EchoesLargeMessagesBothWaysAtOnce) {
  const Connected connected({{kDiffCopy, [](ServerCall& call) {
                                std::string message;
                                while (call.Read(&message)) {
                                  if (!call.Write(message, false)) return absl::CancelledError("over");
                                }
                                return absl::OkStatus();
                              }}});
  grpc::ClientContext context;
  const auto stream = FileSync::NewStub(connected.channel())->DiffCopy(&context);
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i) {
      Packet packet;
      packet.set_id(i);
      packet.set_data(std::string(500000 + i, static_cast<char>('a' + i % 26)));
      ASSERT_TRUE(stream->Write(packet));
    }
    stream->WritesDone();
  });
  Packet packet;
  int count = 0;
  while (stream->Read(&packet)) {
    EXPECT_EQ(packet.id(), static_cast<uint32_t>(count));
    EXPECT_EQ(packet.data(), std::string(500000 + count, static_cast<char>('a' + count % 26)));
    ++count;
  }
  writer.join();
  EXPECT_EQ(count, 40);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(SessionServerTest, SendsWhatWasHeldBackWhenTheHandlerEnds) {
  const Connected connected({{kDiffCopy, [](ServerCall& call) {
                                call.Write(Packet().SerializeAsString(), /*more_follows=*/true);
                                return absl::OkStatus();
                              }}});
  grpc::ClientContext context;
  const auto stream = FileSync::NewStub(connected.channel())->DiffCopy(&context);
  Packet packet;
  EXPECT_TRUE(stream->Read(&packet));
  EXPECT_FALSE(stream->Read(&packet));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(SessionServerTest, HandlersSeeTheMetadataRepeatedValuesIncluded) {
  std::vector<std::string> seen;
  const Connected connected({{kCredentials, [&](ServerCall& call) {
                                const auto [begin, end] = call.metadata().equal_range("exclude-patterns");
                                for (auto it = begin; it != end; ++it) seen.push_back(it->second);
                                return AnswerLength(call);
                              }}});
  grpc::ClientContext context;
  const std::string long_pattern(6000, 'p');
  context.AddMetadata("exclude-patterns", "*.o");
  context.AddMetadata("exclude-patterns", long_pattern);
  CredentialsResponse response;
  EXPECT_TRUE(Auth::NewStub(connected.channel())->Credentials(&context, {}, &response).ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"*.o", long_pattern}));
}

TEST(SessionServerTest, AClientThatCancelsEndsTheHandlersWritesAndReads) {
  absl::Notification ended;
  const Connected connected({{kDiffCopy, [&](ServerCall& call) {
                                const std::string message = Packet().SerializeAsString();
                                while (call.Write(message, false)) {
                                }
                                std::string request;
                                EXPECT_FALSE(call.Read(&request));
                                ended.Notify();
                                return absl::CancelledError("over");
                              }}});
  grpc::ClientContext context;
  const auto stream = FileSync::NewStub(connected.channel())->DiffCopy(&context);
  Packet packet;
  ASSERT_TRUE(stream->Read(&packet));
  context.TryCancel();
  ended.WaitForNotification();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST(SessionServerTest, AWriterWaitsForAClientThatDoesNotRead) {
  std::atomic<int> written = 0;
  const Connected connected({{kDiffCopy, [&](ServerCall& call) {
                                Packet packet;
                                packet.set_data(std::string(100000, 'd'));
                                for (int i = 0; i < 1000; ++i) {
                                  if (!call.Write(packet.SerializeAsString(), false)) break;
                                  ++written;
                                }
                                return absl::OkStatus();
                              }}});
  grpc::ClientContext context;
  const auto stream = FileSync::NewStub(connected.channel())->DiffCopy(&context);
  Packet packet;
  ASSERT_TRUE(stream->Read(&packet));
  // Not a hundred megabytes: the windows of HTTP/2, the buffer of the call and that of the sockets.
  EXPECT_LT(written, 200);
  int count = 1;
  while (stream->Read(&packet)) ++count;
  EXPECT_EQ(count, 1000);
}

TEST(SessionServerTest, ServesManyCallsAtOnceAndOneAfterAnother) {
  const Connected connected({{kCredentials, AnswerLength}});
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 100; ++i) {
        CredentialsResponse response;
        const std::string host(client * 100 + i, 'h');
        if (AskLength(connected.channel(), host, &response).ok() &&
            response.username() == std::to_string(host.size())) {
          ++good;
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 800);
}

TEST(SessionServerTest, ClosingEndsCallsThatWait) {
  Connected connected({{kDiffCopy, [](ServerCall& call) {
                          std::string message;
                          while (call.Read(&message)) {
                          }
                          return absl::CancelledError("over");
                        }}});
  grpc::ClientContext context;
  const auto stream = FileSync::NewStub(connected.channel())->DiffCopy(&context);
  stream->Write(Packet());
  connected.server().Close();
  std::string bytes;
  EXPECT_FALSE(connected.server().Receive("more").ok());
  context.TryCancel();
  stream->Finish();
}

TEST(SessionServerTest, RefusesBytesThatAreNotHttp2) {
  SessionServer server({});
  EXPECT_EQ(server.Receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace davit::buildkit
