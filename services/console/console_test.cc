// Tests of the console over HTTP against in-process stand-ins for the services: sessions, calls, streams, uploads, and
// what is refused.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "davit/registry/v1/identity.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/clock/clock.h"
#include "libs/http/client.h"
#include "libs/ids/random.h"
#include "libs/logging/testing/captured_log.h"
#include "services/console/console_app.h"

namespace davit::console {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "dvt_planted-token";
constexpr char kLog[] = "0123456789abcdef";

// Whether a call carries the person's token.
grpc::Status Admit(const grpc::ServerContext& context) {
  const auto found = context.client_metadata().find("authorization");
  if (found == context.client_metadata().end()) return {grpc::StatusCode::UNAUTHENTICATED, "missing bearer token"};
  const std::string value(found->second.data(), found->second.size());
  if (value == absl::StrCat("Bearer ", kToken) || value == "Bearer dvt_agent") return grpc::Status::OK;
  return {grpc::StatusCode::UNAUTHENTICATED, "token is not valid or was revoked"};
}

class FakeIdentity : public registry::v1::IdentityService::Service {
 public:
  grpc::Status GetCaller(grpc::ServerContext* context, const registry::v1::GetCallerRequest*,
                         registry::v1::GetCallerResponse* response) override {
    if (const grpc::Status status = Admit(*context); !status.ok()) return status;
    const auto token = context->client_metadata().find("authorization")->second;
    registry::v1::ApiToken& record = *response->mutable_api_token();
    record.set_id("tok_1");
    record.set_project("shop");
    record.set_display_name("Ann's");
    record.set_role(absl::StrContains({token.data(), token.size()}, "agent") ? registry::v1::ROLE_AGENT
                                                                             : registry::v1::ROLE_ADMIN);
    return grpc::Status::OK;
  }
};

class FakeRules : public rules::v1::RuleEngine::Service {
 public:
  grpc::Status CreateRule(grpc::ServerContext* context, const rules::v1::CreateRuleRequest* request,
                          rules::v1::CreateRuleResponse* response) override {
    if (const grpc::Status status = Admit(*context); !status.ok()) return status;
    if (request->rule().display_name() == "bad") {
      return {grpc::StatusCode::INVALID_ARGUMENT, "rule.recipe.dockerfile_path: path leaves the repository"};
    }
    *response->mutable_rule() = request->rule();
    response->mutable_rule()->set_id("rul_1");
    return grpc::Status::OK;
  }
};

class FakeScheduler : public scheduler::v1::Scheduler::Service {
 public:
  grpc::Status ListBuilds(grpc::ServerContext* context, const scheduler::v1::ListBuildsRequest* request,
                          scheduler::v1::ListBuildsResponse* response) override {
    absl::MutexLock lock(&mutex);
    if (!revoked.ok()) return revoked;
    if (const grpc::Status status = Admit(*context); !status.ok()) return status;
    scheduler::v1::Build& build = *response->add_builds();
    build.set_id("bld_1");
    build.set_project(request->project());
    build.set_version(version);
    return grpc::Status::OK;
  }

  grpc::Status WatchBuild(grpc::ServerContext* context, const scheduler::v1::WatchBuildRequest* request,
                          grpc::ServerWriter<scheduler::v1::WatchBuildResponse>* writer) override {
    if (const grpc::Status status = Admit(*context); !status.ok()) return status;
    if (request->id() != "bld_1") return {grpc::StatusCode::NOT_FOUND, "no such build"};
    scheduler::v1::WatchBuildResponse response;
    for (const auto state : {scheduler::v1::BUILD_STATE_RUNNING, scheduler::v1::BUILD_STATE_SUCCEEDED}) {
      response.mutable_build()->set_id("bld_1");
      response.mutable_build()->set_state(state);
      writer->Write(response);
    }
    return grpc::Status::OK;
  }

  // Build bld_1 has a log of 16 bytes, sent in pieces of 4; bld_flood's never ends; bld_idle's never begins.
  grpc::Status ReadLog(grpc::ServerContext* context, const scheduler::v1::ReadLogRequest* request,
                       grpc::ServerWriter<scheduler::v1::ReadLogResponse>* writer) override {
    if (const grpc::Status status = Admit(*context); !status.ok()) return status;
    scheduler::v1::ReadLogResponse response;
    response.set_attempt(request->attempt() == 0 ? 1 : request->attempt());
    if (request->build_id() == "bld_flood") {
      response.set_data(std::string(64 << 10, 'x'));
      while (writer->Write(response)) {
        absl::MutexLock lock(&mutex);
        ++written;
      }
    }
    if (request->build_id() == "bld_flood" || request->build_id() == "bld_idle") {
      absl::MutexLock lock(&mutex);
      while (!context->IsCancelled()) mutex.AwaitWithTimeout(absl::Condition(&never), absl::Milliseconds(5));
      ++cancelled;
      return grpc::Status::CANCELLED;
    }
    const std::string log = kLog;
    if (request->offset() > static_cast<int64_t>(log.size())) return {grpc::StatusCode::OUT_OF_RANGE, "beyond the end"};
    for (size_t at = static_cast<size_t>(request->offset()); at < log.size(); at += 4) {
      response.set_offset(static_cast<int64_t>(at));
      response.set_data(log.substr(at, 4));
      writer->Write(response);
    }
    response.set_offset(static_cast<int64_t>(log.size()));
    response.clear_data();
    response.set_end_of_attempt(true);
    response.set_complete(true);
    writer->Write(response);
    return grpc::Status::OK;
  }

  grpc::Status UploadContext(grpc::ServerContext* context,
                             grpc::ServerReader<scheduler::v1::UploadContextRequest>* reader,
                             scheduler::v1::UploadContextResponse* response) override {
    if (const grpc::Status status = Admit(*context); !status.ok()) return status;
    scheduler::v1::UploadContextRequest message;
    scheduler::v1::Upload& upload = *response->mutable_upload();
    while (reader->Read(&message)) {
      if (message.has_header()) {
        upload.set_file_name(message.header().file_name());
        upload.set_format(message.header().format());
      }
      upload.set_size(upload.size() + static_cast<int64_t>(message.data().size()));
      if (message.data().size() > (1 << 20)) return {grpc::StatusCode::INVALID_ARGUMENT, "data: over 1 MiB"};
    }
    upload.set_id("upl_1");
    return grpc::Status::OK;
  }

  absl::Mutex mutex;
  int64_t version = 1;
  int written = 0;
  int cancelled = 0;
  grpc::Status revoked;
  const bool never = false;
};

class ConsoleTest : public ::testing::Test {
 protected:
  ConsoleTest() : codes_file_(absl::StrCat(::testing::TempDir(), "/codes-", getpid())) {
    server_ = grpc::ServerBuilder()
                  .RegisterService(&identity_)
                  .RegisterService(&rules_)
                  .RegisterService(&scheduler_)
                  .BuildAndStart();
    ConsoleOptions options;
    options.listen = "127.0.0.1:0";
    options.sign_in_codes_file = codes_file_;
    options.max_upload_bytes = 4 << 20;
    app_ = *ConsoleApp::Create(options, clock_, random_, log_.logger(), metrics_, server_->InProcessChannel({}),
                               server_->InProcessChannel({}), server_->InProcessChannel({}));
    EXPECT_TRUE(app_->Start().ok());
  }
  ~ConsoleTest() override {
    app_.reset();
    server_->Shutdown();
    unlink(codes_file_.c_str());
    EXPECT_THAT(log_.text(), Not(HasSubstr(kToken)));
  }

  http::Request Request(const std::string& method, const std::string& path, const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.url = absl::StrCat("http://127.0.0.1:", app_->port(), path);
    request.body = body;
    if (method != "GET") request.headers.Set("Sec-Fetch-Site", "same-origin");
    if (method == "POST") request.headers.Set("Content-Type", "application/json");
    if (!cookie_.empty()) request.headers.Set("Cookie", cookie_);
    if (!csrf_.empty()) request.headers.Set("X-CSRF-Token", csrf_);
    return request;
  }
  http::Response Send(const http::Request& request) {
    absl::StatusOr<http::Response> response = client_.Send(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *std::move(response) : http::Response();
  }
  http::Response Post(const std::string& path, const std::string& body) { return Send(Request("POST", path, body)); }

  void SignIn() {
    const http::Response response = Post("/api/v1/session", absl::StrCat(R"({"token":")", kToken, R"("})"));
    ASSERT_EQ(response.status, 200) << response.body;
    const std::string set = response.headers.Get("Set-Cookie").value_or("");
    cookie_ = set.substr(0, set.find(';'));
    csrf_ = json::parse(response.body)["csrf_token"];
  }

  // Opens a stream; its text until it holds `wanted`, or to its end.
  std::unique_ptr<http::ResponseStream> Open(const http::Request& request) {
    auto stream = client_.Open(request);
    EXPECT_TRUE(stream.ok()) << stream.status();
    EXPECT_EQ((*stream)->head().headers.Get("Content-Type"), "text/event-stream");
    return *std::move(stream);
  }
  static std::string ReadUntil(http::ResponseStream& stream, const std::string& wanted) {
    std::string text, buffer(4096, '\0');
    while (wanted.empty() || !absl::StrContains(text, wanted)) {
      const auto count = stream.Read(absl::MakeSpan(buffer.data(), buffer.size()));
      if (!count.ok() || *count == 0) break;
      text.append(buffer, 0, *count);
    }
    return text;
  }
  std::string Events(const http::Request& request) { return ReadUntil(*Open(request), ""); }

  const std::string codes_file_;
  FakeIdentity identity_;
  FakeRules rules_;
  FakeScheduler scheduler_;
  std::unique_ptr<grpc::Server> server_;
  RealClock clock_;
  SystemRandom random_;
  CapturedLog log_;
  metrics::Registry metrics_;
  std::unique_ptr<ConsoleApp> app_;
  http::Client client_{http::ClientOptions{.policy = *http::AddressPolicy::Create({{"127.0.0.1"}})}};
  std::string cookie_, csrf_;
};

TEST_F(ConsoleTest, EveryAnswerHasTheSecurityHeaders) {
  http::Request too_long = Request("GET", "/");
  too_long.headers.Set("X", std::string(20 << 10, 'x'));
  for (const http::Request& request :
       {Request("GET", "/"), Request("GET", "/api/v1/session"), Request("GET", "/none.js"), Request("PUT", "/"),
        Request("GET", "/healthz"), too_long}) {
    const http::Response response = Send(request);
    EXPECT_THAT(response.headers.Get("Content-Security-Policy").value_or(""),
                HasSubstr("default-src 'none'; script-src 'self'; style-src 'self'"));
    EXPECT_EQ(response.headers.Get("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(response.headers.Get("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(response.headers.Get("Cross-Origin-Opener-Policy"), "same-origin");
  }
}

TEST_F(ConsoleTest, SignsInShowsTheSessionAndSignsOut) {
  EXPECT_EQ(Send(Request("GET", "/api/v1/session")).body, "{}");
  const http::Response made = Post("/api/v1/session", absl::StrCat(R"({"token":")", kToken, R"("})"));
  const std::string set = made.headers.Get("Set-Cookie").value_or("");
  EXPECT_THAT(set, HasSubstr("; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(made.body, Not(HasSubstr(kToken)));
  SignIn();
  const http::Response shown = Send(Request("GET", "/api/v1/session"));
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(json::parse(shown.body)["caller"]["role"], "ROLE_ADMIN");
  EXPECT_EQ(json::parse(shown.body)["csrf_token"], csrf_);
  EXPECT_EQ(Send(Request("DELETE", "/api/v1/session")).status, 200);
  const http::Response nobody = Send(Request("GET", "/api/v1/session"));
  EXPECT_EQ(nobody.body, "{}");
  EXPECT_THAT(nobody.headers.Get("Set-Cookie").value_or(""), HasSubstr("Max-Age=0"));
}

TEST_F(ConsoleTest, RefusesTokensThatAreNotAPersons) {
  EXPECT_EQ(Post("/api/v1/session", R"({"token":"dvt_wrong"})").status, 401);
  EXPECT_EQ(Post("/api/v1/session", R"({"token":"dvt_agent"})").status, 403);
  EXPECT_EQ(Post("/api/v1/session", R"({"token":"a\r\nb"})").status, 401);
  EXPECT_EQ(Post("/api/v1/session", R"({"code":"nosuchcode"})").status, 401);
  EXPECT_EQ(Post("/api/v1/session", "[]").status, 400);
}

TEST_F(ConsoleTest, ASignInLinkWorksOnce) {
  const std::string link = *app_->NewSignInLink(crypto::SecretString(kToken));
  const std::string code = link.substr(link.find("#code=") + 6);
  EXPECT_THAT(link, HasSubstr(absl::StrCat("http://127.0.0.1:", app_->port(), "/sign-in#code=")));
  EXPECT_EQ(Post("/api/v1/session", absl::StrCat(R"({"code":")", code, R"("})")).status, 200);
  EXPECT_EQ(Post("/api/v1/session", absl::StrCat(R"({"code":")", code, R"("})")).status, 401);
}

TEST_F(ConsoleTest, MakesCallsAsThePersonAndNamesWrongFields) {
  SignIn();
  const http::Response made = Post("/api/v1/rules/CreateRule", R"({"rule":{"displayName":"good"}})");
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(json::parse(made.body)["rule"]["display_name"], "good");
  const http::Response bad = Post("/api/v1/rules/CreateRule", R"({"rule":{"display_name":"bad"}})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(json::parse(bad.body)["error"]["field"], "rule.recipe.dockerfile_path");
  EXPECT_EQ(json::parse(bad.body)["error"]["message"], "path leaves the repository");
  const http::Response unknown = Post("/api/v1/rules/CreateRule", R"({"rule":{"nosuch":1}})");
  EXPECT_EQ(json::parse(unknown.body)["error"]["field"], "rule.nosuch");
  EXPECT_EQ(Post("/api/v1/rules/IngestEvent", "{}").status, 404);
  EXPECT_EQ(Post("/api/v1/identity/IntrospectToken", "{}").status, 404);
  EXPECT_EQ(Post("/api/v1/scheduler/ListBuilds", std::string((1 << 20) + 1, ' ')).status, 413);
}

TEST_F(ConsoleTest, RefusesAMissingSessionAForeignOriginAndAMissingCsrfToken) {
  EXPECT_EQ(Post("/api/v1/scheduler/ListBuilds", "{}").status, 401);
  EXPECT_EQ(Send(Request("GET", "/api/v1/builds/events")).status, 401);
  SignIn();
  EXPECT_EQ(Post("/api/v1/scheduler/ListBuilds", "{}").status, 200);
  http::Request foreign = Request("POST", "/api/v1/scheduler/ListBuilds", "{}");
  foreign.headers.Set("Origin", "http://evil.example");
  EXPECT_EQ(Send(foreign).status, 403);
  http::Request rebound = Request("GET", "/api/v1/session");
  rebound.headers.Set("Host", "evil.example");
  EXPECT_EQ(Send(rebound).status, 403);
  http::Request form = Request("POST", "/api/v1/scheduler/ListBuilds", "{}");
  form.headers.Set("Content-Type", "text/plain");
  EXPECT_EQ(Send(form).status, 400);
  http::Request without = Request("POST", "/api/v1/scheduler/ListBuilds", "{}");
  without.headers.Remove("X-CSRF-Token");
  const http::Response response = Send(without);
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(json::parse(response.body)["error"]["message"], "CSRF token missing or wrong");
}

TEST_F(ConsoleTest, ATokenThatWasRevokedEndsTheSession) {
  SignIn();
  {
    absl::MutexLock lock(&scheduler_.mutex);
    scheduler_.revoked = {grpc::StatusCode::UNAUTHENTICATED, "token is not valid or was revoked"};
  }
  EXPECT_EQ(Post("/api/v1/scheduler/ListBuilds", "{}").status, 401);
  const http::Response nobody = Send(Request("GET", "/api/v1/session"));
  EXPECT_EQ(nobody.body, "{}");
  EXPECT_THAT(nobody.headers.Get("Set-Cookie").value_or(""), HasSubstr("Max-Age=0"));
}

TEST_F(ConsoleTest, StreamsABuildsStatesToItsEnd) {
  SignIn();
  const std::string events = Events(Request("GET", "/api/v1/builds/bld_1/events"));
  const size_t running = events.find("BUILD_STATE_RUNNING"), succeeded = events.find("BUILD_STATE_SUCCEEDED");
  EXPECT_LT(running, succeeded);
  EXPECT_THAT(events, HasSubstr("event: build\ndata: {"));
  EXPECT_THAT(events, HasSubstr("event: end\n"));
  EXPECT_THAT(Events(Request("GET", "/api/v1/builds/bld_2/events")), HasSubstr("event: failed\ndata: {\"error\""));
}

TEST_F(ConsoleTest, StreamsALogAndResumesWhereTheBrowserStopped) {
  SignIn();
  const std::string whole = Events(Request("GET", "/api/v1/builds/bld_1/log?attempt=1&follow=1"));
  EXPECT_THAT(whole, HasSubstr("event: log\nid: 1:4\ndata: {"));
  EXPECT_THAT(whole, HasSubstr("\"data\":\"MDEyMw==\""));
  EXPECT_THAT(whole, HasSubstr("event: end\ndata: {\"attempt\":1,\"complete\":true,\"end_of_attempt\":true}"));
  http::Request again = Request("GET", "/api/v1/builds/bld_1/log?attempt=1&follow=1");
  again.headers.Set("Last-Event-ID", "1:12");
  const std::string rest = Events(again);
  EXPECT_THAT(rest, Not(HasSubstr("id: 1:12\n")));
  EXPECT_THAT(rest, HasSubstr("id: 1:16\n"));
  EXPECT_THAT(Events(Request("GET", "/api/v1/builds/bld_1/log?offset=14")), HasSubstr("\"data\":\"ZWY=\""));
  EXPECT_THAT(Events(Request("GET", "/api/v1/builds/bld_1/log?offset=99")), HasSubstr("OUT_OF_RANGE"));
  again.headers.Set("Last-Event-ID", "rubbish");
  EXPECT_EQ(Send(again).status, 400);
  EXPECT_EQ(Send(Request("GET", "/api/v1/builds/bld_1/log?offset=-1")).status, 400);
}

TEST_F(ConsoleTest, ABrowserThatDoesNotReadHoldsTheLogBackAndOneThatGoesEndsIt) {
  SignIn();
  {
    const auto slow = Open(Request("GET", "/api/v1/builds/bld_flood/log"));
    const auto idle = Open(Request("GET", "/api/v1/builds/bld_idle/log"));
    int before = -1;
    while (true) {  // until nothing was written for a while: what lies between is full
      absl::MutexLock lock(&scheduler_.mutex);
      if (before == scheduler_.written && before > 0) break;
      before = scheduler_.written;
      scheduler_.mutex.AwaitWithTimeout(absl::Condition(&scheduler_.never), absl::Milliseconds(500));
    }
    EXPECT_LT(before, 1000);  // of 64 KiB
  }
  absl::MutexLock lock(&scheduler_.mutex);
  scheduler_.mutex.Await(absl::Condition(
      +[](FakeScheduler* fake) { return fake->cancelled == 2; }, &scheduler_));
}

TEST_F(ConsoleTest, TheListIsSentWhenItChangesAndEndsWithTheSession) {
  SignIn();
  const auto stream = Open(Request("GET", "/api/v1/builds/events"));
  const std::string first = ReadUntil(*stream, "\n\n");
  EXPECT_THAT(first, HasSubstr("event: builds\n"));
  EXPECT_THAT(first, HasSubstr("\"project\":\"shop\""));
  {
    absl::MutexLock lock(&scheduler_.mutex);
    scheduler_.version = 2;
  }
  EXPECT_THAT(ReadUntil(*stream, "\n\n"), HasSubstr("\"version\":\"2\""));
  EXPECT_EQ(Send(Request("DELETE", "/api/v1/session")).status, 200);
  EXPECT_EQ(ReadUntil(*stream, ""), "");
}

TEST_F(ConsoleTest, TheListEndsForATokenThatWasRevoked) {
  SignIn();
  {
    absl::MutexLock lock(&scheduler_.mutex);
    scheduler_.revoked = {grpc::StatusCode::UNAUTHENTICATED, "token is not valid or was revoked"};
  }
  EXPECT_THAT(Events(Request("GET", "/api/v1/builds/events")), HasSubstr("event: failed\ndata: "));
}

TEST_F(ConsoleTest, PassesUploadsOnAndBoundsThem) {
  http::Request upload = Request("POST", "/api/v1/uploads?format=tar&file_name=a%20b.tar", std::string(3 << 20, 'x'));
  EXPECT_EQ(Send(upload).status, 401);
  SignIn();
  upload = Request("POST", "/api/v1/uploads?format=tar&file_name=a%20b.tar", std::string(3 << 20, 'x'));
  upload.headers.Set("Content-Type", "application/octet-stream");
  const http::Response taken = Send(upload);
  ASSERT_EQ(taken.status, 200) << taken.body;
  EXPECT_EQ(json::parse(taken.body)["size"], absl::StrCat(3 << 20));
  EXPECT_EQ(json::parse(taken.body)["file_name"], "a b.tar");
  EXPECT_EQ(json::parse(taken.body)["format"], "UPLOAD_FORMAT_TAR");
  upload.body = std::string((4 << 20) + 1, 'x');
  EXPECT_EQ(Send(upload).status, 413);
  http::Request odd = Request("POST", "/api/v1/uploads?format=rar", "x");
  EXPECT_EQ(json::parse(Send(odd).body)["error"]["field"], "format");
  upload.headers.Remove("X-CSRF-Token");
  EXPECT_EQ(Send(upload).status, 403);
}

TEST_F(ConsoleTest, DrainEndsOpenViews) {
  SignIn();
  const auto stream = Open(Request("GET", "/api/v1/builds/bld_idle/log"));
  app_->Drain(absl::Now() + absl::Seconds(30));
  EXPECT_EQ(ReadUntil(*stream, ""), "");
}

TEST(ConsoleAppTest, AnAddressThatOthersReachNeedsAPublicUrl) {
  RealClock clock;
  SystemRandom random;
  metrics::Registry metrics;
  const auto channel = grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials());
  ConsoleOptions options;
  options.listen = "0.0.0.0:0";
  EXPECT_THAT(ConsoleApp::Create(options, clock, random, Logger::Discarding(), metrics, channel, channel, channel)
                  .status()
                  .message(),
              HasSubstr("public_url"));
}

}  // namespace
}  // namespace davit::console
