// Tests of client.h against server.h over real sockets.
#include "libs/http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "libs/http/server.h"

namespace davit::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMiB = int64_t{1} << 20;

// A server that remembers what it was asked and answers what the test says.
class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    ServerOptions options;
    options.body_limit = 64 * kMiB;
    server_ = *Server::Start(options, [this](const ServerRequest& request) {
      {
        absl::MutexLock lock(&mutex_);
        requests_.push_back(request);
      }
      return answer_(request);
    });
  }

  std::string Origin(const std::string& host = "127.0.0.1") const {
    return absl::StrCat("http://", host, ":", server_->port());
  }

  static std::unique_ptr<Client> Allowing(std::vector<std::string> hosts, std::vector<std::string> resolve = {}) {
    ClientOptions options;
    options.policy = *AddressPolicy::Create({std::move(hosts)});
    options.resolve = std::move(resolve);
    return std::make_unique<Client>(std::move(options));
  }

  std::string Resolve(const std::string& host, const std::string& address = "127.0.0.1") const {
    return absl::StrCat(host, ":", server_->port(), ":", address);
  }

  size_t request_count() {
    absl::MutexLock lock(&mutex_);
    return requests_.size();
  }

  absl::Mutex mutex_;
  std::vector<ServerRequest> requests_;
  Handler answer_ = [](const ServerRequest&) { return ServerResponse{200, {{"X-A", "b"}}, "hello"}; };
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_ = Allowing({"127.0.0.1"});
};

Request Get(const std::string& url) {
  Request request;
  request.url = url;
  return request;
}

TEST_F(ClientTest, SendsARequestAndReadsTheResponse) {
  Request request = Get(Origin() + "/a?b=c");
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.body = "{}";
  const absl::StatusOr<Response> response = client_->Send(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.Get("x-a"), "b");
  EXPECT_EQ(response->body, "hello");
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].method, "POST");
  EXPECT_EQ(requests_[0].query, "b=c");
  EXPECT_EQ(requests_[0].body, "{}");
  EXPECT_EQ(requests_[0].headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(requests_[0].headers.Get("X-Empty"), "");
  EXPECT_EQ(requests_[0].headers.Get("User-Agent"), "davit");
  EXPECT_FALSE(requests_[0].headers.Has("Expect"));
}

TEST_F(ClientTest, SendsEveryMethodThatRegistriesUse) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    Request request = Get(Origin());
    request.method = method;
    const absl::StatusOr<Response> response = client_->Send(request);
    ASSERT_TRUE(response.ok()) << method << response.status();
    EXPECT_EQ(response->body, std::string(method) == "HEAD" ? "" : "hello");
    EXPECT_EQ(requests_.back().method, method);
    EXPECT_FALSE(requests_.back().headers.Has("Content-Type"));
  }
}

TEST_F(ClientTest, AnErrorStatusIsAResponse) {
  answer_ = [](const ServerRequest&) { return ServerResponse{404, {}, "none"}; };
  EXPECT_EQ(client_->Send(Get(Origin()))->status, 404);
}

TEST_F(ClientTest, ReusesAConnection) {
  ServerOptions options;
  options.max_connections = 1;  // a second connection would wait for the first to end
  auto server = *Server::Start(options, [](const ServerRequest&) { return ServerResponse{200, {}, "x"}; });
  Request request = Get(absl::StrCat("http://127.0.0.1:", server->port()));
  request.timeout = absl::Seconds(5);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client_->Send(request).ok());
  request.headers.Add("Connection", "close");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(client_->Send(request).ok());
}

TEST_F(ClientTest, StreamsARequestBody) {
  Request request = Get(Origin());
  request.method = "POST";
  int pieces = 0;
  request.body_source = [&pieces](absl::Span<char> buffer) -> absl::StatusOr<size_t> {
    if (pieces++ == 3) return 0;
    std::fill_n(buffer.begin(), 1000, 'x');
    return 1000;
  };
  ASSERT_TRUE(client_->Send(request).ok());
  EXPECT_EQ(requests_[0].body, std::string(3000, 'x'));
  EXPECT_EQ(requests_[0].headers.Get("Transfer-Encoding"), "chunked");
}

TEST_F(ClientTest, AnnouncesTheLengthOfAStreamedBodyWhenItIsKnown) {
  Request request = Get(Origin());
  request.method = "PUT";
  request.body_length = 4;
  bool sent = false;
  request.body_source = [&sent](absl::Span<char> buffer) -> absl::StatusOr<size_t> {
    if (std::exchange(sent, true)) return 0;
    std::copy_n("four", 4, buffer.begin());
    return 4;
  };
  ASSERT_TRUE(client_->Send(request).ok());
  EXPECT_EQ(requests_[0].headers.Get("Content-Length"), "4");
  EXPECT_EQ(requests_[0].body, "four");
}

TEST_F(ClientTest, AnErrorOfTheBodySourceIsTheResult) {
  Request request = Get(Origin());
  request.method = "POST";
  request.body_source = [](absl::Span<char>) -> absl::StatusOr<size_t> { return absl::DataLossError("spool is gone"); };
  EXPECT_EQ(client_->Send(request).status(), absl::DataLossError("spool is gone"));
}

TEST_F(ClientTest, AnErrorOfTheSinkIsTheResult) {
  const absl::Status status =
      client_->Send(Get(Origin()), [](absl::string_view) { return absl::AbortedError("enough"); }).status();
  EXPECT_EQ(status, absl::AbortedError("enough"));
}

TEST_F(ClientTest, AStreamIsReadAsFastAsTheCallerReads) {
  const std::string large(8 * kMiB, 'z');
  answer_ = [&large](const ServerRequest&) { return ServerResponse{200, {}, large}; };
  Request request = Get(Origin());
  request.max_response_bytes = 16 * kMiB;
  absl::StatusOr<std::unique_ptr<ResponseStream>> stream = client_->Open(request);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ((*stream)->head().status, 200);
  std::string buffer(10000, '\0');
  size_t total = 0;
  while (true) {
    const absl::StatusOr<size_t> count = (*stream)->Read(absl::MakeSpan(buffer));
    ASSERT_TRUE(count.ok()) << count.status();
    if (*count == 0) break;
    total += *count;
  }
  EXPECT_EQ(total, large.size());
  EXPECT_EQ(*(*stream)->Read(absl::MakeSpan(buffer)), 0u);
}

TEST_F(ClientTest, AStreamMayBeDroppedInTheMiddle) {
  answer_ = [](const ServerRequest&) { return ServerResponse{200, {}, std::string(8 * kMiB, 'z')}; };
  Request request = Get(Origin());
  request.max_response_bytes = 16 * kMiB;
  std::string buffer(10, '\0');
  EXPECT_EQ(*(*client_->Open(request))->Read(absl::MakeSpan(buffer)), 10u);
  EXPECT_EQ((*client_->Send(request)).body.size(), 8u * kMiB);
}

TEST_F(ClientTest, RefusesAResponseOverTheBound) {
  answer_ = [](const ServerRequest&) { return ServerResponse{200, {}, std::string(1001, 'x')}; };
  Request request = Get(Origin());
  request.max_response_bytes = 1000;
  const absl::Status status = client_->Send(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("response over 1000 bytes"));
}

TEST_F(ClientTest, RefusesALoopbackServerThatIsNotListed) {
  const absl::Status status = Allowing({})->Send(Get(Origin())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("address not allowed"));
  EXPECT_EQ(request_count(), 0u);
}

TEST_F(ClientTest, RefusesANameThatRebindsToLoopbackAtConnect) {
  for (const char* address : {"127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]"}) {
    const auto client = Allowing({}, {Resolve("rebinds.example", address)});
    const absl::Status status =
        client->Send(Get(absl::StrCat("https://rebinds.example:", server_->port(), "/"))).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr("address not allowed: rebinds.example")) << address;
  }
}

TEST_F(ClientTest, RefusesANameOfWhichEveryAddressIsPrivate) {
  const auto client = Allowing({}, {Resolve("rebinds.example", "127.0.0.1,10.1.1.1")});
  const absl::Status status =
      client->Send(Get(absl::StrCat("https://rebinds.example:", server_->port(), "/"))).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("address not allowed"));
}

TEST_F(ClientTest, AListedNameMayHaveAPrivateAddress) {
  const auto client = Allowing({"git.internal"}, {Resolve("git.internal")});
  EXPECT_EQ(client->Send(Get(Origin("git.internal")))->status, 200);
}

TEST_F(ClientTest, RefusesOtherSchemesAndCredentialsInUrls) {
  EXPECT_THAT(std::string(client_->Send(Get("file:///etc/passwd")).status().message()),
              HasSubstr("scheme not allowed"));
  const absl::Status status = client_->Send(Get("http://u:hunter2@127.0.0.1/")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
}

TEST_F(ClientTest, RefusesHeadersThatWouldSmuggleOthers) {
  Request request = Get(Origin());
  request.headers.Add("X-A", "b\r\nAuthorization: c");
  EXPECT_EQ(client_->Send(request).status().code(), absl::StatusCode::kInvalidArgument);
  request.headers = {{"X-A: b\r\nX", "c"}};
  EXPECT_EQ(client_->Send(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ClientTest, IgnoresProxiesOfTheEnvironment) {
  for (const char* name : {"http_proxy", "https_proxy", "ALL_PROXY"}) setenv(name, "http://127.0.0.1:1", 1);
  EXPECT_EQ(client_->Send(Get(Origin()))->status, 200);
  for (const char* name : {"http_proxy", "https_proxy", "ALL_PROXY"}) unsetenv(name);
}

TEST_F(ClientTest, DoesNotFollowRedirectsUnlessAsked) {
  answer_ = [](const ServerRequest&) { return ServerResponse{302, {{"Location", "/b"}}, ""}; };
  EXPECT_EQ(client_->Send(Get(Origin()))->status, 302);
  EXPECT_EQ(request_count(), 1u);
}

TEST_F(ClientTest, FollowsARedirectWithinTheOriginWithItsHeaders) {
  answer_ = [](const ServerRequest& request) {
    return request.path == "/a" ? ServerResponse{307, {{"Location", "b?c"}}, ""} : ServerResponse{200, {}, "there"};
  };
  Request request = Get(Origin() + "/a");
  request.max_redirects = 1;
  request.headers.Add("Authorization", "Bearer x");
  const absl::StatusOr<Response> response = client_->Send(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "there");
  EXPECT_EQ(response->url, Origin() + "/b?c");
  EXPECT_EQ(requests_[1].headers.Get("Authorization"), "Bearer x");
}

TEST_F(ClientTest, LeavesSecretsBehindWhenARedirectChangesTheHost) {
  const auto client = Allowing({"127.0.0.1", "other.example"}, {Resolve("other.example")});
  answer_ = [this](const ServerRequest& request) {
    return request.path == "/a" ? ServerResponse{302, {{"Location", Origin("other.example") + "/b"}}, ""}
                                : ServerResponse{200, {}, ""};
  };
  Request request = Get(Origin() + "/a");
  request.max_redirects = 1;
  request.headers = {{"Authorization", "Bearer x"}, {"Cookie", "c"}, {"PRIVATE-TOKEN", "t"}, {"Accept", "*"}};
  request.sensitive_headers = {"Private-Token"};
  ASSERT_TRUE(client->Send(request).ok());
  ASSERT_EQ(requests_.size(), 2u);
  for (const char* name : {"Authorization", "Cookie", "PRIVATE-TOKEN"})
    EXPECT_FALSE(requests_[1].headers.Has(name)) << name;
  EXPECT_EQ(requests_[1].headers.Get("Accept"), "*");
}

TEST_F(ClientTest, ChecksTheTargetOfARedirect) {
  for (const std::string location : {"http://169.254.169.254/latest", "http://[::1]:9/", "file:///etc/passwd",
                                     "http://other.example/", "https://u:p@other.example/"}) {
    answer_ = [&location](const ServerRequest&) { return ServerResponse{302, {{"Location", location}}, ""}; };
    Request request = Get(Origin());
    request.max_redirects = 5;
    EXPECT_EQ(client_->Send(request).status().code(), absl::StatusCode::kInvalidArgument) << location;
  }
}

TEST_F(ClientTest, EndsARedirectLoop) {
  answer_ = [](const ServerRequest&) { return ServerResponse{302, {{"Location", "/"}}, ""}; };
  Request request = Get(Origin());
  request.max_redirects = 3;
  EXPECT_EQ(client_->Send(request).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(request_count(), 4u);
}

TEST_F(ClientTest, NeitherErrorsNorHostsShowTheQuery) {
  const absl::Status status = Allowing({"127.0.0.1"})->Send(Get("http://127.0.0.1:1/x?token=hunter2")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
}

// A server whose handler waits until the test ends.
class StalledServerTest : public ClientTest {
 protected:
  StalledServerTest() {
    answer_ = [this](const ServerRequest&) {
      leave_.WaitForNotification();
      return ServerResponse{200, {}, ""};
    };
  }
  ~StalledServerTest() override { leave_.Notify(); }

  absl::Notification leave_;
};

TEST_F(StalledServerTest, GivesUpAfterTheTimeout) {
  Request request = Get(Origin());
  request.timeout = absl::Milliseconds(50);
  EXPECT_EQ(client_->Send(request).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(StalledServerTest, GivesUpWhenTooLittleMoves) {
  Request request = Get(Origin());
  request.timeout = absl::InfiniteDuration();
  request.low_speed_window = absl::Milliseconds(50);
  request.low_speed_bytes_per_second = 1000;
  const absl::Status status = client_->Send(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("slower than 1000 bytes per second"));
}

TEST_F(StalledServerTest, EndsSoonAfterItIsCancelled) {
  std::atomic<bool> cancelled = false;
  Request request = Get(Origin());
  request.cancelled = &cancelled;
  std::thread cancel([this, &cancelled] {
    while (request_count() == 0 && !leave_.HasBeenNotified()) std::this_thread::yield();
    cancelled = true;
  });
  EXPECT_EQ(client_->Send(request).status().code(), absl::StatusCode::kCancelled);
  cancel.join();
}

// Answers one connection on a unix socket.
TEST(ClientUnixSocketTest, TalksToAUnixSocketWhateverThePolicySays) {
  // Not below TEST_TMPDIR, whose path may be longer than a socket's may be.
  char directory[] = "/tmp/davit-client-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string path = absl::StrCat(directory, "/s");
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  std::thread server([listener] {
    const int connection = accept(listener, nullptr, nullptr);
    char buffer[4096];
    EXPECT_GT(recv(connection, buffer, sizeof(buffer), 0), 0);
    const absl::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    EXPECT_EQ(send(connection, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    close(connection);
  });
  Client client{ClientOptions{}};
  Request request = Get("http://engine/_ping");
  request.unix_socket_path = path;
  const absl::StatusOr<Response> response = client.Send(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "ok");
  server.join();
  close(listener);
  EXPECT_EQ(client.Send(request).status().code(), absl::StatusCode::kUnavailable);
  unlink(path.c_str());
  rmdir(directory);
}

}  // namespace
}  // namespace davit::http
