// Tests of authorizing from the command line, and of the commands about tokens and their audit log, against a fake
// token-registry on an in-process channel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/http/client.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/server.h"
#include "services/cli/cli.h"
#include "services/cli/exit_code.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::registry::v1;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kState[] = "ost_state";

// Plays the provider's part, too: what the browser does, and how long the person takes.
class FakeRegistry : public v1::TokenRegistry::Service {
 public:
  ~FakeRegistry() override {
    if (browser_.joinable()) browser_.join();
  }

  grpc::Status BeginOAuth(grpc::ServerContext*, const v1::BeginOAuthRequest* request,
                          v1::BeginOAuthResponse* response) override {
    begun = *request;
    response->set_state(kState);
    response->set_authorize_url("https://git.example.com/authorize");
    response->mutable_expire_time()->set_seconds(expire_seconds);
    if (request->flow() == v1::AUTHORIZATION_FLOW_DEVICE) {
      response->set_user_code("WDJB-MJHT");
      response->mutable_poll_interval()->set_seconds(5);
    } else {
      browser_ = std::thread([this, address = request->redirect_uri()] { Browse(address); });
    }
    return grpc::Status::OK;
  }

  grpc::Status FinishOAuth(grpc::ServerContext*, const v1::FinishOAuthRequest* request,
                           v1::FinishOAuthResponse* response) override {
    ++asked;
    code = request->code();
    if (request->state() != kState) return {grpc::StatusCode::NOT_FOUND, "state: no such authorization"};
    if (asked <= pending) {
      response->mutable_retry_after()->set_seconds(10);
    } else {
      response->mutable_connection()->set_id("con_1");
      response->mutable_connection()->set_credential_kind(v1::Connection::CREDENTIAL_KIND_OAUTH);
    }
    return grpc::Status::OK;
  }

  grpc::Status RotateConnectionToken(grpc::ServerContext*, const v1::RotateConnectionTokenRequest* request,
                                     v1::RotateConnectionTokenResponse* response) override {
    rotated = *request;
    response->mutable_connection()->set_id(request->id());
    return grpc::Status::OK;
  }

  grpc::Status DeleteConnection(grpc::ServerContext*, const v1::DeleteConnectionRequest*,
                                v1::DeleteConnectionResponse* response) override {
    auto* const left = response->add_left_webhooks();
    left->set_repository("team/app");
    left->set_provider_hook_id("17");
    left->set_reason("credential rejected by github.com (401)");
    return grpc::Status::OK;
  }

  grpc::Status ListSecretAccesses(grpc::ServerContext*, const v1::ListSecretAccessesRequest* request,
                                  v1::ListSecretAccessesResponse* response) override {
    auto* const access = response->add_accesses();
    access->set_record_id(request->record_id());
    access->set_field("token");
    access->set_purpose("list refs");
    return grpc::Status::OK;
  }

  int64_t expire_seconds = 0;
  int pending = 0;
  std::string answer = absl::StrCat("state=", kState, "&code=a%2Fb");
  v1::BeginOAuthRequest begun;
  v1::RotateConnectionTokenRequest rotated;
  std::atomic<int> asked = 0;
  std::string code;

 private:
  // Comes back with somebody else's state first.
  void Browse(const std::string& address) {
    http::ClientOptions options;
    options.policy = *http::AddressPolicy::Create({.allowed_hosts = {"127.0.0.1"}});
    http::Client client(options);
    for (const std::string& query : {std::string("state=ost_other&code=evil"), answer}) {
      // The state is known to the command only when BeginOAuth has answered.
      http::Request request;
      request.url = absl::StrCat(address, "?", query);
      for (int attempt = 0; attempt < 500; ++attempt) {
        const auto response = client.Send(request);
        const int status = response.ok() ? response->status : 0;
        if (status == 200 || query != answer) break;
      }
    }
  }

  std::thread browser_;
};

class OAuthLoginTest : public ::testing::Test {
 protected:
  OAuthLoginTest() {
    registry_.expire_seconds = absl::ToUnixSeconds(clock_.Now() + absl::Minutes(15));
    auto started = rpc::Server::Start(rpc::ServerOptions(), {&registry_}, Logger::Discarding(), metrics_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return cli::Run(arguments, environment_);
  }

  FakeClock clock_;
  FakeRegistry registry_;
  metrics::Registry metrics_;
  std::unique_ptr<rpc::Server> server_;
  FakeRandom random_;
  std::istringstream in_{"new-token"};
  std::ostringstream out_;
  std::ostringstream err_;
  Environment environment_{
      [](const std::string& name) -> std::optional<std::string> {
        if (name == "DAVIT_TOKEN") return "dvt_mine";
        return std::nullopt;
      },
      in_,
      out_,
      err_,
      nullptr,
      [this](const std::string&, const rpc::ClientOptions& options) { return server_->InProcessChannel(options); },
      clock_,
      random_};
};

TEST_F(OAuthLoginTest, ADeviceIsAskedForUntilThePersonHasAuthorized) {
  registry_.pending = 2;
  ASSERT_EQ(Run({"connect", "create", "--name", "mine", "--provider", "gitlab", "--oauth"}), kExitOk) << err_.str();
  EXPECT_THAT(err_.str(), HasSubstr("https://git.example.com/authorize"));
  EXPECT_THAT(err_.str(), HasSubstr("WDJB-MJHT"));
  EXPECT_THAT(out_.str(), HasSubstr("con_1"));
  EXPECT_EQ(registry_.begun.connection().display_name(), "mine");
  EXPECT_EQ(registry_.asked, 3);
  EXPECT_EQ(clock_.slept(), absl::Seconds(25)) << "as long as the server says";
}

TEST_F(OAuthLoginTest, NobodyIsWaitedForForEver) {
  registry_.pending = 1000;
  EXPECT_NE(Run({"connect", "create", "--name", "mine", "--provider", "gitlab", "--oauth"}), kExitOk);
  EXPECT_THAT(err_.str(), HasSubstr("nobody authorized the connection in time"));
  EXPECT_LE(clock_.slept(), absl::Minutes(15));
}

TEST_F(OAuthLoginTest, ABrowserComesBackToThisMachineWithTheRightState) {
  ASSERT_EQ(Run({"connect", "rotate", "con_1", "--oauth", "--browser"}), kExitOk) << err_.str();
  EXPECT_EQ(registry_.begun.connection().id(), "con_1");
  EXPECT_THAT(registry_.begun.redirect_uri(), HasSubstr("http://127.0.0.1:"));
  EXPECT_EQ(registry_.code, "a/b");
}

TEST_F(OAuthLoginTest, ARefusalInTheBrowserIsSaid) {
  registry_.answer = absl::StrCat("state=", kState, "&error=access_denied");
  EXPECT_EQ(Run({"connect", "create", "--name", "mine", "--provider", "github", "--oauth", "--browser"}), kExitServer);
  EXPECT_THAT(err_.str(), HasSubstr("not authorized: access_denied"));
  EXPECT_EQ(registry_.asked, 0);
}

TEST_F(OAuthLoginTest, OptionsThatContradictAreRefused) {
  EXPECT_EQ(Run({"connect", "rotate", "con_1", "--browser"}), kExitUsage);
  EXPECT_EQ(Run({"connect", "rotate", "con_1", "--oauth", "--token-file", "x"}), kExitUsage);
}

TEST_F(OAuthLoginTest, ATokenIsRotated) {
  ASSERT_EQ(Run({"connect", "rotate", "con_1", "--username", "robot"}), kExitOk) << err_.str();
  EXPECT_EQ(registry_.rotated.token(), "new-token");
  EXPECT_EQ(registry_.rotated.username(), "robot");
  EXPECT_THAT(out_.str() + err_.str(), Not(HasSubstr("new-token")));
}

TEST_F(OAuthLoginTest, WhatADeletedConnectionLeavesIsNamed) {
  ASSERT_EQ(Run({"connect", "delete", "con_1"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("webhook 17 of team/app is still at the provider"));
}

TEST_F(OAuthLoginTest, TheAuditLogIsShown) {
  ASSERT_EQ(Run({"audit", "--record", "con_1"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("list refs"));
}

}  // namespace
}  // namespace davit::cli
