// Tests of the gateway over HTTP against in-process stand-ins for the token-registry and the rule-engine: one test per
// kind of bad input, and the good ones.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/crypto/hash.h"
#include "libs/http/client.h"
#include "libs/ids/random.h"
#include "libs/logging/testing/captured_log.h"
#include "services/webhook_gateway/grpc_backends.h"
#include "services/webhook_gateway/webhook_gateway_app.h"

namespace davit::webhook_gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kSecret[] = "planted-webhook-secret";
constexpr char kGithubHook[] = "whk_01jgfjh3zdf2mvq8r6kq8c0v4x";
constexpr char kGitlabHook[] = "whk_01jgfjh3zdf2mvq8r6kq8c0v4y";
constexpr char kGenericHook[] = "whk_01jgfjh3zdf2mvq8r6kq8c0v4z";
constexpr char kNoHook[] = "whk_01jgfjh3zdf2mvq8r6kq8c0v40";

class FakeTokenRegistry : public registry::v1::TokenRegistry::Service {
 public:
  grpc::Status GetWebhookSecret(grpc::ServerContext*, const registry::v1::GetWebhookSecretRequest* request,
                                registry::v1::GetWebhookSecretResponse* response) override {
    absl::MutexLock lock(&mutex);
    ++calls;
    if (!answer.ok()) return answer;
    registry::v1::Webhook& webhook = *response->mutable_webhook();
    webhook.set_id(request->id());
    webhook.set_project("shop");
    webhook.set_connection_id("con_1");
    webhook.set_repository(repository);
    response->set_secret(secret);
    if (request->id() == kGithubHook) {
      webhook.set_provider(registry::v1::PROVIDER_GITHUB);
    } else if (request->id() == kGitlabHook) {
      webhook.set_provider(registry::v1::PROVIDER_GITLAB);
    } else if (request->id() == kGenericHook) {
      webhook.set_provider(registry::v1::PROVIDER_GENERIC_GIT);
    } else {
      return {grpc::StatusCode::NOT_FOUND, "no such webhook"};
    }
    return grpc::Status::OK;
  }

  absl::Mutex mutex;
  int calls = 0;
  grpc::Status answer;
  std::string secret = kSecret;
  std::string repository;
};

// Remembers deliveries as the real ledger does.
class FakeRuleEngine : public rules::v1::RuleEngine::Service {
 public:
  grpc::Status IngestEvents(grpc::ServerContext*, const rules::v1::IngestEventsRequest* request,
                            rules::v1::IngestEventsResponse* response) override {
    absl::MutexLock lock(&mutex);
    if (failures > 0) {
      --failures;
      return answer;
    }
    for (const rules::v1::IngestEventRequest& one : request->events()) {
      auto& outcome = *response->add_outcomes();
      if (one.delivery_id() == "refused") {
        outcome.set_code(grpc::INVALID_ARGUMENT);
        outcome.set_message("push.ref: invalid ref");
        continue;
      }
      last = one;
      const auto [entry, inserted] = events.emplace(one.delivery_id(), absl::StrCat("evt_", events.size() + 1));
      outcome.mutable_event()->set_event_id(entry->second);
      outcome.mutable_event()->set_duplicate(!inserted);
    }
    return grpc::Status::OK;
  }

  absl::Mutex mutex;
  int failures = 0;
  grpc::Status answer;
  rules::v1::IngestEventRequest last;
  std::map<std::string, std::string> events;
};

class WebhookGatewayTest : public ::testing::Test {
 protected:
  WebhookGatewayTest() {
    server_ = grpc::ServerBuilder().RegisterService(&token_registry_).RegisterService(&rule_engine_).BuildAndStart();
    WebhookGatewayOptions options;
    options.listen = "127.0.0.1:0";
    options.rate_limit = {.per_second = 1, .burst = 60};
    app_ = *WebhookGatewayApp::Create(options, clock_, random_, log_.logger(), metrics_, server_->InProcessChannel({}),
                                      IngestOver(server_->InProcessChannel({})));
    const absl::Status started = app_->Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  ~WebhookGatewayTest() override {
    app_->Drain(absl::InfinitePast());
    server_->Shutdown();
    EXPECT_FALSE(log_.Contains(kSecret));
  }

  static std::string Sign(const std::string& body, const std::string& secret = kSecret) {
    return absl::StrCat("sha256=", absl::BytesToHexString(crypto::HmacSha256(secret, body)));
  }

  http::Response Send(const std::string& path, http::Headers headers, const std::string& body,
                      const std::string& method = "POST") {
    http::Request request;
    request.method = method;
    request.url = absl::StrCat("http://127.0.0.1:", app_->port(), path);
    request.headers = std::move(headers);
    if (!request.headers.Has("Content-Type")) request.headers.Add("Content-Type", "application/json");
    request.body = body;
    const absl::StatusOr<http::Response> response = client_.Send(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : http::Response();
  }

  // A correctly signed delivery of GitHub.
  http::Response SendGithub(const std::string& body, const std::string& event = "push",
                            const std::string& delivery = "d-1", const std::string& hook = kGithubHook) {
    return Send(absl::StrCat("/hooks/", hook),
                {{"X-GitHub-Event", event}, {"X-GitHub-Delivery", delivery}, {"X-Hub-Signature-256", Sign(body)}},
                body);
  }

  static json Push() {
    return {{"ref", "refs/heads/main"},
            {"before", std::string(40, 'a')},
            {"after", std::string(40, 'b')},
            {"repository", {{"full_name", "team/app"}}},
            {"commits", json::array()}};
  }

  static std::string ErrorOf(const http::Response& response) {
    const json body = json::parse(response.body, nullptr, false);
    return body.is_object() ? body.value("error", "") : "";
  }
  static std::string MessageOf(const http::Response& response) {
    const json body = json::parse(response.body, nullptr, false);
    return body.is_object() ? body.value("message", "") : "";
  }

  size_t EventCount() {
    absl::MutexLock lock(&rule_engine_.mutex);
    return rule_engine_.events.size();
  }

  FakeTokenRegistry token_registry_;
  FakeRuleEngine rule_engine_;
  std::unique_ptr<grpc::Server> server_;
  FakeClock clock_;
  SystemRandom random_;
  CapturedLog log_;
  metrics::Registry metrics_;
  http::Client client_{http::ClientOptions{.policy = *http::AddressPolicy::Create({{"127.0.0.1"}})}};
  std::unique_ptr<WebhookGatewayApp> app_;
};

TEST_F(WebhookGatewayTest, TakesAPushIntoTheLedger) {
  const http::Response response = SendGithub(Push().dump());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.body), (json{{"event", "evt_1"}}));
  EXPECT_EQ(response.headers.Get("Content-Type"), "application/json");
  const rules::v1::IngestEventRequest& taken = rule_engine_.last;
  EXPECT_EQ(taken.project(), "shop");
  EXPECT_EQ(taken.connection_id(), "con_1");
  EXPECT_EQ(taken.webhook_id(), kGithubHook);
  EXPECT_EQ(taken.delivery_id(), "d-1");
  EXPECT_EQ(taken.push().repository(), "team/app");
  EXPECT_EQ(taken.push().ref(), "refs/heads/main");
  EXPECT_EQ(taken.headers().at("X-GitHub-Event"), "push");
  EXPECT_THAT(taken.DebugString(), ::testing::Not(HasSubstr("sha256=")));
  EXPECT_TRUE(log_.Contains("d-1"));
  EXPECT_THAT(metrics_.ServeText(), HasSubstr("davit_webhook_gateway_deliveries_total"));
}

TEST_F(WebhookGatewayTest, TakesGitlabsPushes) {
  json push = Push();
  push["project"] = {{"path_with_namespace", "group/app"}};
  const http::Headers headers = {
      {"X-Gitlab-Event", "Tag Push Hook"}, {"X-Gitlab-Token", kSecret}, {"Idempotency-Key", "key-1"}};
  EXPECT_EQ(Send(absl::StrCat("/hooks/", kGitlabHook), headers, push.dump()).status, 200);
  EXPECT_EQ(rule_engine_.last.delivery_id(), "key-1");
  EXPECT_EQ(rule_engine_.last.push().repository(), "group/app");
  EXPECT_THAT(rule_engine_.last.DebugString(), ::testing::Not(HasSubstr(kSecret)));
}

TEST_F(WebhookGatewayTest, TakesGitlabsSignedPushesOnce) {
  token_registry_.secret = "whsec_cGxhbnRlZC13ZWJob29rLXNlY3JldA==";
  json push = Push();
  push["project"] = {{"path_with_namespace", "group/app"}};
  const std::string body = push.dump();
  const auto deliver = [&](absl::Time sent, const std::string& idempotency_key) {
    const std::string timestamp = absl::StrCat(absl::ToUnixSeconds(sent));
    const std::string signature =
        absl::Base64Escape(crypto::HmacSha256(kSecret, absl::StrCat("msg_1.", timestamp, ".", body)));
    return Send(absl::StrCat("/hooks/", kGitlabHook),
                {{"X-Gitlab-Event", "Push Hook"},
                 {"Idempotency-Key", idempotency_key},
                 {"webhook-id", "msg_1"},
                 {"webhook-timestamp", timestamp},
                 {"webhook-signature", absl::StrCat("v1,", signature)}},
                body);
  };
  EXPECT_EQ(deliver(clock_.Now(), "msg_1").status, 200);
  EXPECT_EQ(rule_engine_.last.delivery_id(), "msg_1");
  EXPECT_THAT(rule_engine_.last.DebugString(), ::testing::Not(HasSubstr("v1,")));
  EXPECT_EQ(MessageOf(deliver(clock_.Now(), "another")), "duplicate of event evt_1");
  const http::Response old = deliver(clock_.Now() - absl::Minutes(10), "msg_1");
  EXPECT_EQ(old.status, 401);
  EXPECT_EQ(ErrorOf(old), "timestamp outside 5 min");
  const http::Response bare = Send(absl::StrCat("/hooks/", kGitlabHook), {{"X-Gitlab-Event", "Push Hook"}}, body);
  EXPECT_EQ(bare.status, 401);
  EXPECT_EQ(ErrorOf(bare), "missing webhook-signature");
}

TEST_F(WebhookGatewayTest, LimitsThePushesOfOneWebhook) {
  for (int i = 0; i < 60; ++i) EXPECT_EQ(SendGithub(Push().dump(), "push", absl::StrCat("d-", i)).status, 200);
  const http::Response refused = SendGithub(Push().dump(), "push", "d-60");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "1");
  EXPECT_EQ(EventCount(), 60u);
  EXPECT_EQ(SendGithub("{}", "ping").status, 202);
  EXPECT_EQ(SendGithub(Push().dump(), "push", "d-61", kGenericHook).status, 200);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(SendGithub(Push().dump(), "push", "d-60").status, 200);
}

TEST_F(WebhookGatewayTest, WhoCannotSignCannotUseUpTheRate) {
  for (int i = 0; i < 100; ++i) {
    Send(absl::StrCat("/hooks/", kGithubHook), {{"X-GitHub-Event", "push"}, {"X-Hub-Signature-256", "sha256=0"}}, "{}");
  }
  EXPECT_EQ(SendGithub(Push().dump()).status, 200);
}

TEST_F(WebhookGatewayTest, TakesPushesOfGenericServersInGithubsForm) {
  EXPECT_EQ(SendGithub(Push().dump(), "push", "d-1", kGenericHook).status, 200);
}

TEST_F(WebhookGatewayTest, TakesAPushThatIsSentAsAForm) {
  const std::string body = "payload=%7B%22ref%22%3A%22refs/heads/main%22%2C%22after%22%3A%22" + std::string(40, 'b') +
                           "%22%2C%22repository%22%3A%7B%22full_name%22%3A%22team/app%22%7D%7D";
  EXPECT_EQ(Send(absl::StrCat("/hooks/", kGithubHook),
                 {{"X-GitHub-Event", "push"},
                  {"X-GitHub-Delivery", "d-1"},
                  {"X-Hub-Signature-256", Sign(body)},
                  {"Content-Type", "application/x-www-form-urlencoded"}},
                 body)
                .status,
            200);
}

TEST_F(WebhookGatewayTest, RefusesADeliveryWithoutASignature) {
  const http::Response response =
      Send(absl::StrCat("/hooks/", kGithubHook), {{"X-GitHub-Event", "push"}}, Push().dump());
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(ErrorOf(response), "missing X-Hub-Signature-256");
  EXPECT_EQ(EventCount(), 0u);
}

TEST_F(WebhookGatewayTest, RefusesAWrongSignatureBeforeItLooksAtTheBody) {
  const http::Response response =
      Send(absl::StrCat("/hooks/", kGithubHook),
           {{"X-GitHub-Event", "push"}, {"X-GitHub-Delivery", "d"}, {"X-Hub-Signature-256", Sign("{", "other")}}, "{");
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(ErrorOf(response), "signature mismatch");
}

TEST_F(WebhookGatewayTest, IsNotMadeWithALimitThatLetsNothingThrough) {
  const auto made_with = [this](RateLimit limit) {
    return WebhookGatewayApp::Create({.rate_limit = limit}, clock_, random_, log_.logger(), metrics_,
                                     server_->InProcessChannel({}), IngestOver(server_->InProcessChannel({})))
        .status();
  };
  EXPECT_EQ(made_with({.per_second = 0, .burst = 1}), absl::InvalidArgumentError("webhook_rate: must be more than 0"));
  EXPECT_EQ(made_with({.per_second = 0.1, .burst = 0.5}),
            absl::InvalidArgumentError("webhook_burst: must be at least 1"));
  EXPECT_TRUE(made_with({.per_second = 0.1, .burst = 1}).ok());
}

TEST_F(WebhookGatewayTest, RefusesASha1SignatureAlone) {
  const http::Response response =
      Send(absl::StrCat("/hooks/", kGithubHook), {{"X-GitHub-Event", "push"}, {"X-Hub-Signature", "sha1=00"}}, "{}");
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(ErrorOf(response), "sha256 signature required");
}

TEST_F(WebhookGatewayTest, RefusesAWrongGitlabToken) {
  const http::Response wrong =
      Send(absl::StrCat("/hooks/", kGitlabHook), {{"X-Gitlab-Event", "Push Hook"}, {"X-Gitlab-Token", "x"}}, "{}");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(ErrorOf(wrong), "token mismatch");
  const http::Response missing = Send(absl::StrCat("/hooks/", kGitlabHook), {{"X-Gitlab-Event", "Push Hook"}}, "{}");
  EXPECT_EQ(ErrorOf(missing), "missing X-Gitlab-Token");
}

TEST_F(WebhookGatewayTest, RefusesABodyOver25MiB) {
  const http::Response response = SendGithub(std::string(26'000'000, ' ') + std::string(1 << 20, ' '));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(ErrorOf(response), "body over 25 MiB");
}

TEST_F(WebhookGatewayTest, SaysWhereTruncatedJsonEnds) {
  const std::string whole = Push().dump();
  const http::Response response = SendGithub(whole.substr(0, whole.size() - 1));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(ErrorOf(response), absl::StrCat("invalid JSON at byte ", whole.size()));
}

TEST_F(WebhookGatewayTest, RefusesDeeplyNestedJson) {
  const http::Response response = SendGithub(std::string(10000, '[') + std::string(10000, ']'));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(ErrorOf(response), "nesting over 64");
}

TEST_F(WebhookGatewayTest, NamesTheFirstEventOfARepeatedDelivery) {
  EXPECT_EQ(SendGithub(Push().dump()).status, 200);
  const http::Response again = SendGithub(Push().dump());
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(MessageOf(again), "duplicate of event evt_1");
  EXPECT_EQ(EventCount(), 1u);
}

TEST_F(WebhookGatewayTest, IgnoresOtherEvents) {
  const http::Response ping = SendGithub(R"({"zen":"Keep it logically awesome."})", "ping");
  EXPECT_EQ(ping.status, 202);
  EXPECT_EQ(MessageOf(ping), "ignored: event ping");
  for (const char* event : {"create", "delete"}) {
    const http::Response response = SendGithub(R"({"ref":"v1","ref_type":"tag"})", event);
    EXPECT_EQ(response.status, 202);
    EXPECT_EQ(MessageOf(response), absl::StrCat("ignored: event ", event));
  }
  const http::Response issue = Send(absl::StrCat("/hooks/", kGitlabHook),
                                    {{"X-Gitlab-Event", "Issue Hook"}, {"X-Gitlab-Token", kSecret}}, "not even JSON");
  EXPECT_EQ(issue.status, 202);
  EXPECT_EQ(MessageOf(issue), "ignored: event Issue Hook");
  EXPECT_EQ(EventCount(), 0u);
}

TEST_F(WebhookGatewayTest, IgnoresADeletedBranchAndOtherRefs) {
  json push = Push();
  push["after"] = std::string(40, '0');
  const http::Response response = SendGithub(push.dump());
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(MessageOf(response), "ignored: ref deleted");
  push = Push();
  push["ref"] = "refs/notes/x";
  EXPECT_EQ(MessageOf(SendGithub(push.dump())), "ignored: neither a branch nor a tag");
  EXPECT_EQ(EventCount(), 0u);
}

TEST_F(WebhookGatewayTest, AnUnknownWebhookLooksLikeAForeignRepository) {
  const http::Response unknown = SendGithub(Push().dump(), "push", "d-1", kNoHook);
  EXPECT_EQ(unknown.status, 404);
  const http::Response malformed = SendGithub(Push().dump(), "push", "d-1", "..%2f");
  {
    absl::MutexLock lock(&token_registry_.mutex);
    token_registry_.repository = "Team/Other";
  }
  const http::Response foreign = SendGithub(Push().dump());
  EXPECT_EQ(foreign.status, 404);
  EXPECT_EQ(foreign.body, unknown.body);
  EXPECT_EQ(malformed.body, unknown.body);
  EXPECT_EQ(EventCount(), 0u);
}

TEST_F(WebhookGatewayTest, AWebhookOfOneRepositoryTakesItsPushes) {
  token_registry_.repository = "Team/App";
  EXPECT_EQ(SendGithub(Push().dump()).status, 200);
}

TEST_F(WebhookGatewayTest, RefusesARefThatIsAnOption) {
  json push = Push();
  push["ref"] = "refs/heads/--upload-pack=x";
  const http::Response response = SendGithub(push.dump());
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(ErrorOf(response), HasSubstr("invalid ref"));
  EXPECT_EQ(EventCount(), 0u);
}

TEST_F(WebhookGatewayTest, PassesTheRuleEnginesRefusalOn) {
  const http::Response response = SendGithub(Push().dump(), "push", "refused");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(ErrorOf(response), "push.ref: invalid ref");
}

TEST_F(WebhookGatewayTest, ARefusedDeliveryIsRefusedAlone) {
  std::vector<std::thread> senders;
  for (int i = 0; i < 12; ++i) {
    senders.emplace_back([this, i] {
      const bool refused = i % 3 == 0;
      EXPECT_EQ(SendGithub(Push().dump(), "push", refused ? "refused" : absl::StrCat("d-", i)).status,
                refused ? 400 : 200);
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(EventCount(), 8u);
}

TEST_F(WebhookGatewayTest, DeliversAgainItselfWhileTheRuleEngineRestarts) {
  rule_engine_.failures = 3;
  rule_engine_.answer = {grpc::StatusCode::UNAVAILABLE, "restarting"};
  EXPECT_EQ(SendGithub(Push().dump()).status, 200);
  EXPECT_GT(clock_.slept(), absl::ZeroDuration());
}

TEST_F(WebhookGatewayTest, NeverAcceptsWhatIsNotInTheLedger) {
  rule_engine_.failures = 1000;
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::INTERNAL, grpc::StatusCode::PERMISSION_DENIED,
        grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::INVALID_ARGUMENT}) {
    rule_engine_.answer = {code, "inner detail"};
    const http::Response response = SendGithub(Push().dump());
    EXPECT_EQ(response.status, 503) << code;
    EXPECT_TRUE(response.headers.Has("Retry-After"));
    EXPECT_THAT(response.body, ::testing::Not(HasSubstr("inner detail")));
  }
  EXPECT_EQ(EventCount(), 0u);
}

TEST_F(WebhookGatewayTest, IsUnavailableWhileSecretsCannotBeHad) {
  token_registry_.answer = {grpc::StatusCode::UNAVAILABLE, "down"};
  const http::Response response = SendGithub(Push().dump());
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.headers.Has("Retry-After"));
}

TEST_F(WebhookGatewayTest, NoticesAReplacedSecret) {
  EXPECT_EQ(SendGithub(Push().dump()).status, 200);
  {
    absl::MutexLock lock(&token_registry_.mutex);
    token_registry_.secret = "planted-new-secret";
  }
  clock_.Advance(absl::Seconds(15));
  const std::string body = Push().dump();
  const http::Headers headers = {{"X-GitHub-Event", "push"},
                                 {"X-GitHub-Delivery", "d-2"},
                                 {"X-Hub-Signature-256", Sign(body, "planted-new-secret")}};
  EXPECT_EQ(Send(absl::StrCat("/hooks/", kGithubHook), headers, body).status, 200);
  EXPECT_EQ(EventCount(), 2u);
  EXPECT_FALSE(log_.Contains("planted-new-secret"));
}

TEST_F(WebhookGatewayTest, AFloodOfWrongSignaturesIsNoFloodOfCalls) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Send(absl::StrCat("/hooks/", kGithubHook),
                   {{"X-GitHub-Event", "push"}, {"X-Hub-Signature-256", "sha256=0"}}, "{}")
                  .status,
              401);
  }
  EXPECT_EQ(token_registry_.calls, 1);
}

TEST_F(WebhookGatewayTest, AnswersWhatIsUnderWayWhenItDrainsAndTakesNothingMore) {
  rule_engine_.mutex.Lock();  // the ledger takes its time
  std::thread sender([this] { EXPECT_EQ(SendGithub(Push().dump()).status, 200); });
  const auto begun = [this] {
    absl::MutexLock lock(&token_registry_.mutex);
    return token_registry_.calls > 0;
  };
  while (!begun()) std::this_thread::yield();
  std::thread drain([this] { app_->Drain(clock_.Now() + absl::Seconds(30)); });
  http::Request request;
  request.url = absl::StrCat("http://127.0.0.1:", app_->port(), "/healthz");
  while (client_.Send(request).ok()) std::this_thread::yield();
  rule_engine_.mutex.Unlock();
  sender.join();
  drain.join();
  EXPECT_EQ(EventCount(), 1u);
}

TEST_F(WebhookGatewayTest, AnswersHealthAndNothingElse) {
  EXPECT_EQ(Send("/healthz", {}, "", "GET").status, 200);
  EXPECT_EQ(Send("/", {}, "", "GET").status, 404);
  const http::Response get = Send(absl::StrCat("/hooks/", kGithubHook), {}, "", "GET");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.headers.Get("Allow"), "POST");
}

}  // namespace
}  // namespace davit::webhook_gateway
