// Tests of the token-registry's API for authorizations: BeginOAuth and FinishOAuth against authorization servers with
// GitHub's and GitLab's manners, and what refreshing does to connections. Real PostgreSQL, real HTTP.
#include "services/token_registry/testing/fake_authorization_server.h"
#include "services/token_registry/testing/token_registry_fixture.h"

namespace davit::token_registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Stub = v1::TokenRegistry::StubInterface;

constexpr char kRedirect[] = "http://127.0.0.1:40404/davit/callback";

class OAuthApiTest : public TokenRegistryAppTest {
 protected:
  OAuthApiTest() {
    const std::string secret = testing::TempDir() + "/client_secret";
    std::ofstream(secret) << FakeAuthorizationServer::kClientSecret << "\n";
    options_.oauth_apps_file = testing::TempDir() + "/oauth_apps";
    std::ofstream(options_.oauth_apps_file)
        << "# OAuth applications\n"
        << "github " << github_.base_url() << " client-1 " << secret << " https://davit.example.com/oauth\n"
        << "gitlab " << gitlab_.base_url() << " client-1 " << secret << "\n";
    options_.allowed_hosts = {github_.authority(), gitlab_.authority()};
    Restart();
  }

  v1::BeginOAuthRequest Request(const FakeAuthorizationServer& server, v1::AuthorizationFlow flow,
                                const std::string& name = "mine") {
    v1::BeginOAuthRequest request;
    request.mutable_connection()->set_display_name(name);
    request.mutable_connection()->set_provider(&server == &github_ ? v1::PROVIDER_GITHUB : v1::PROVIDER_GITLAB);
    request.mutable_connection()->set_base_url(server.base_url());
    request.set_flow(flow);
    if (flow == v1::AUTHORIZATION_FLOW_BROWSER) request.set_redirect_uri(kRedirect);
    return request;
  }

  v1::BeginOAuthResponse MustBegin(const v1::BeginOAuthRequest& request) {
    const auto begun = Call("admin", &Stub::BeginOAuth, request);
    EXPECT_TRUE(begun.ok()) << begun.status();
    return begun.ok() ? *begun : v1::BeginOAuthResponse();
  }

  absl::StatusOr<v1::FinishOAuthResponse> Finish(const std::string& state, const std::string& code,
                                                 const std::string& who = "admin") {
    v1::FinishOAuthRequest request;
    request.set_state(state);
    request.set_code(code);
    return Call(who, &Stub::FinishOAuth, request);
  }

  // A connection that was authorized in the browser.
  v1::Connection MustAuthorize(FakeAuthorizationServer& server) {
    const v1::BeginOAuthResponse begun = MustBegin(Request(server, v1::AUTHORIZATION_FLOW_BROWSER));
    const auto finished = Finish(begun.state(), server.Approve(begun.authorize_url()));
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? finished->connection() : v1::Connection();
  }

  v1::Connection Verified(const std::string& id) {
    v1::VerifyConnectionRequest request;
    request.set_id(id);
    const auto verified = Call("admin", &Stub::VerifyConnection, request);
    EXPECT_TRUE(verified.ok()) << verified.status();
    return verified.ok() ? verified->connection() : v1::Connection();
  }

  FakeAuthorizationServer github_{Provider::kGitHub};
  FakeAuthorizationServer gitlab_{Provider::kGitLab};
};

TEST_F(OAuthApiTest, ABrowserAuthorizesAConnectionOnce) {
  provider_->SetFacts({"ann", {"repo"}});
  const v1::BeginOAuthResponse begun = MustBegin(Request(github_, v1::AUTHORIZATION_FLOW_BROWSER));
  EXPECT_EQ(begun.user_code(), "");
  EXPECT_EQ(begun.expire_time().seconds(), absl::ToUnixSeconds(clock_.Now() + absl::Minutes(10)));
  const std::string code = github_.Approve(begun.authorize_url());
  ASSERT_NE(code, "") << begun.authorize_url();
  const auto finished = Finish(begun.state(), code);
  ASSERT_TRUE(finished.ok()) << finished.status();
  const v1::Connection& connection = finished->connection();
  EXPECT_EQ(connection.credential_kind(), v1::Connection::CREDENTIAL_KIND_OAUTH);
  EXPECT_EQ(connection.state(), v1::Connection::STATE_ACTIVE);
  EXPECT_EQ(connection.account(), "ann");
  EXPECT_EQ(connection.username(), "x-access-token");
  EXPECT_FALSE(connection.has_token_expire_time()) << "GitHub's OAuth applications give tokens that do not end";
  EXPECT_EQ(provider_->shown().back(), "planted-access-1");
  EXPECT_EQ(Finish(begun.state(), code).status().code(), absl::StatusCode::kNotFound) << "a state is used once";
}

TEST_F(OAuthApiTest, ADeviceAuthorizesAConnectionWhenThePersonHas) {
  const v1::BeginOAuthResponse begun = MustBegin(Request(gitlab_, v1::AUTHORIZATION_FLOW_DEVICE));
  EXPECT_EQ(begun.user_code(), "WDJB-MJHT");
  EXPECT_EQ(begun.authorize_url(), gitlab_.base_url() + "/device");
  EXPECT_EQ(begun.poll_interval().seconds(), 5);
  auto finished = Finish(begun.state(), "");
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->retry_after().seconds(), 5);
  EXPECT_EQ(gitlab_.polls(), 0) << "too early to ask";
  clock_.Advance(absl::Seconds(5));
  finished = Finish(begun.state(), "");
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_FALSE(finished->has_connection());
  EXPECT_EQ(gitlab_.polls(), 1);
  gitlab_.SetDeviceAnswer("slow_down");
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(Finish(begun.state(), "")->retry_after().seconds(), 10);
  gitlab_.SetDeviceAnswer("");
  clock_.Advance(absl::Seconds(10));
  finished = Finish(begun.state(), "");
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->connection().username(), "oauth2");
  EXPECT_EQ(finished->connection().state(), v1::Connection::STATE_ACTIVE)
      << "a token that is refreshed does not expire";
  EXPECT_EQ(finished->connection().token_expire_time().seconds(), absl::ToUnixSeconds(clock_.Now() + absl::Hours(2)));
  EXPECT_EQ(Finish(begun.state(), "").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(OAuthApiTest, ARefusalOfThePersonEndsTheAuthorization) {
  const v1::BeginOAuthResponse begun = MustBegin(Request(github_, v1::AUTHORIZATION_FLOW_DEVICE));
  clock_.Advance(absl::Seconds(5));
  github_.SetDeviceAnswer("access_denied");
  const absl::Status refused = Finish(begun.state(), "").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused, Says(HasSubstr("refused: access_denied: said so")));
  EXPECT_EQ(Finish(begun.state(), "").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(OAuthApiTest, OnlyWhoBeganMayFinishAndOnlyInTime) {
  const v1::BeginOAuthResponse begun = MustBegin(Request(github_, v1::AUTHORIZATION_FLOW_BROWSER));
  const std::string code = github_.Approve(begun.authorize_url());
  EXPECT_EQ(Finish(begun.state(), code, "root").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Finish(begun.state(), code, "stranger").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Finish(begun.state() + "x", code).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Finish(begun.state(), "").status(), Says(StartsWith("code: required")));
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(Finish(begun.state(), code).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(OAuthApiTest, ACodeOfAnotherAuthorizationDoesNotFit) {
  // PKCE: a code that was slipped in belongs to another verifier.
  const v1::BeginOAuthResponse theirs = MustBegin(Request(gitlab_, v1::AUTHORIZATION_FLOW_BROWSER, "theirs"));
  const v1::BeginOAuthResponse mine = MustBegin(Request(gitlab_, v1::AUTHORIZATION_FLOW_BROWSER));
  const absl::Status refused = Finish(mine.state(), gitlab_.Approve(theirs.authorize_url())).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused, Says(HasSubstr("invalid_grant")));
}

TEST_F(OAuthApiTest, AWrongBeginningNamesItsField) {
  const auto error = [&](auto change) {
    v1::BeginOAuthRequest request = Request(github_, v1::AUTHORIZATION_FLOW_BROWSER);
    change(request);
    return Call("admin", &Stub::BeginOAuth, request).status();
  };
  EXPECT_THAT(error([](auto& request) { request.clear_flow(); }), Says(StartsWith("flow: ")));
  EXPECT_THAT(error([](auto& request) { request.mutable_connection()->clear_display_name(); }),
              Says(StartsWith("display_name: ")));
  EXPECT_THAT(error([](auto& request) { request.mutable_connection()->clear_provider(); }),
              Says(StartsWith("provider: ")));
  EXPECT_THAT(error([](auto& request) { request.mutable_connection()->set_provider(v1::PROVIDER_GENERIC_GIT); }),
              Says(StartsWith("connection.provider: ")));
  for (const char* uri : {"", "https://evil.example.com/", "http://10.0.0.1:8080/", "http://127.0.0.1.evil.com/",
                          "https://davit.example.com/oauth/x", "javascript:alert(1)"}) {
    EXPECT_THAT(error([&](auto& request) { request.set_redirect_uri(uri); }), Says(StartsWith("redirect_uri: ")))
        << uri;
  }
  EXPECT_TRUE(error([](auto& request) { request.set_redirect_uri("https://davit.example.com/oauth"); }).ok());
  EXPECT_TRUE(error([](auto& request) { request.set_redirect_uri("http://[::1]:8080/cb"); }).ok());
  const absl::Status no_app = error([](auto& request) { request.mutable_connection()->clear_base_url(); });
  EXPECT_EQ(no_app.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(no_app, Says(HasSubstr("no OAuth application is configured for https://github.com")));
  EXPECT_EQ(error([](auto& request) { request.mutable_connection()->set_id("con_gone"); }).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(OAuthApiTest, AnswersThatAreNoneOfAnAuthorizationServerAreToldApart) {
  const auto begin = [&] {
    return Call("admin", &Stub::BeginOAuth, Request(gitlab_, v1::AUTHORIZATION_FLOW_DEVICE)).status();
  };
  gitlab_.Fail(404, "<html>");
  EXPECT_EQ(begin().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(begin(), Says(HasSubstr("does not answer as an OAuth authorization server (404)")));
  gitlab_.Fail(200, R"({"device_code": 5})");
  EXPECT_THAT(begin(), Says(HasSubstr("without a device code")));
  gitlab_.Fail(503, "");
  EXPECT_EQ(begin().code(), absl::StatusCode::kUnavailable);
  gitlab_.Fail(429, R"({"error": "slow_down"})");
  EXPECT_EQ(begin().code(), absl::StatusCode::kUnavailable);
  gitlab_.Fail(400, R"({"error": "in<valid", "error_description": "x"})");
  EXPECT_THAT(begin(), Says(Not(HasSubstr("in<valid")))) << "what is no error code is not repeated";
  gitlab_.Fail(0, "");
  const v1::BeginOAuthResponse begun = MustBegin(Request(gitlab_, v1::AUTHORIZATION_FLOW_BROWSER));
  const std::string code = gitlab_.Approve(begun.authorize_url());
  gitlab_.Fail(200, R"({"token_type": "bearer"})");
  EXPECT_THAT(Finish(begun.state(), code).status(), Says(HasSubstr("without an access token")));
}

TEST_F(OAuthApiTest, AConnectionIsAuthorizedAnewInItsPlace) {
  v1::CreateConnectionRequest create;
  create.mutable_connection()->set_display_name("lab");
  create.mutable_connection()->set_provider(v1::PROVIDER_GITLAB);
  create.mutable_connection()->set_base_url(gitlab_.base_url());
  create.set_token(kSourceToken);
  const auto made = Call("admin", &Stub::CreateConnection, create);
  ASSERT_TRUE(made.ok()) << made.status();
  v1::BeginOAuthRequest request = Request(gitlab_, v1::AUTHORIZATION_FLOW_BROWSER);
  request.mutable_connection()->Clear();
  request.mutable_connection()->set_id(made->connection().id());
  const v1::BeginOAuthResponse begun = MustBegin(request);
  const auto finished = Finish(begun.state(), gitlab_.Approve(begun.authorize_url()));
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->connection().id(), made->connection().id());
  EXPECT_EQ(finished->connection().display_name(), "lab");
  EXPECT_EQ(finished->connection().credential_kind(), v1::Connection::CREDENTIAL_KIND_OAUTH);
  // And back to a copied token, after which nothing is refreshed any more.
  v1::RotateConnectionTokenRequest rotate;
  rotate.set_id(made->connection().id());
  rotate.set_token("planted-copied-token");
  ASSERT_TRUE(Call("admin", &Stub::RotateConnectionToken, rotate).ok());
  clock_.Advance(absl::Hours(3));
  const v1::Connection connection = Verified(made->connection().id());
  EXPECT_EQ(connection.credential_kind(), v1::Connection::CREDENTIAL_KIND_ACCESS_TOKEN);
  EXPECT_EQ(provider_->shown().back(), "planted-copied-token");
}

TEST_F(OAuthApiTest, ATokenIsRefreshedBeforeACallAndForABuild) {
  const v1::Connection connection = MustAuthorize(gitlab_);
  clock_.Advance(absl::Minutes(116));
  v1::ListRefsRequest refs;
  refs.set_connection_id(connection.id());
  refs.set_repository("team/app");
  ASSERT_TRUE(Call("developer", &Stub::ListRefs, refs).ok());
  EXPECT_EQ(provider_->shown().back(), "planted-access-2");
  clock_.Advance(absl::Hours(3));
  ASSERT_TRUE(Grant(GrantRequest(connection, v1::RegistryCredential(), 1)).ok());
  const auto issued = Issue(1);
  ASSERT_TRUE(issued.ok()) << issued.status();
  EXPECT_EQ(issued->source().password(), "planted-access-3");
  EXPECT_EQ(issued->source().username(), "oauth2");
}

TEST_F(OAuthApiTest, ARefusedRefreshMakesTheConnectionInvalidUntilItIsAuthorizedAnew) {
  const v1::Connection connection = MustAuthorize(gitlab_);
  gitlab_.Fail(400, R"({"error": "invalid_grant", "error_description": "revoked"})");
  clock_.Advance(absl::Hours(3));
  const v1::Connection invalid = Verified(connection.id());
  EXPECT_EQ(invalid.state(), v1::Connection::STATE_INVALID);
  EXPECT_THAT(invalid.state_reason(), HasSubstr("refused: invalid_grant: revoked; authorize the connection anew"));
  gitlab_.Fail(0, "");
  v1::BeginOAuthRequest request;
  request.mutable_connection()->set_id(connection.id());
  request.set_flow(v1::AUTHORIZATION_FLOW_DEVICE);
  const v1::BeginOAuthResponse begun = MustBegin(request);
  gitlab_.SetDeviceAnswer("");
  clock_.Advance(absl::Seconds(5));
  const auto finished = Finish(begun.state(), "");
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->connection().state(), v1::Connection::STATE_ACTIVE);
}

TEST_F(OAuthApiTest, NoSecretOfAnAuthorizationIsStoredInTheOpenOrLogged) {
  const v1::Connection connection = MustAuthorize(gitlab_);
  const v1::BeginOAuthResponse begun = MustBegin(Request(gitlab_, v1::AUTHORIZATION_FLOW_DEVICE, "waiting"));
  clock_.Advance(absl::Hours(3));
  Verified(connection.id());
  for (const std::string& where : {database_.Dump(), log_.text(), metrics_.ServeText()}) {
    EXPECT_FALSE(absl::StrContains(where, "planted-"));
    EXPECT_FALSE(absl::StrContains(where, absl::BytesToHexString("planted-")));
    EXPECT_FALSE(absl::StrContains(where, begun.state()));
  }
}

TEST_F(OAuthApiTest, KeysAreRotatedForWhatOAuthStores) {
  const v1::Connection connection = MustAuthorize(gitlab_);
  MustBegin(Request(gitlab_, v1::AUTHORIZATION_FLOW_DEVICE, "waiting"));
  std::ifstream old_file(options_.key_file);
  const std::string old_keys((std::istreambuf_iterator<char>(old_file)), std::istreambuf_iterator<char>());
  const std::string new_keys = crypto::KeyRing::NewFileText("k2", random_).Reveal();
  std::ofstream(options_.key_file) << new_keys << old_keys;
  Restart();
  const auto rotation = Call("root", &Stub::RotateKeys, v1::RotateKeysRequest());
  ASSERT_TRUE(rotation.ok()) << rotation.status();
  EXPECT_EQ(rotation->rewrapped(), 3) << "token, refresh token, device code";
  EXPECT_EQ(rotation->remaining(), 0);
  std::ofstream(options_.key_file) << new_keys;
  Restart();
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(Verified(connection.id()).state(), v1::Connection::STATE_ACTIVE);
}

}  // namespace
}  // namespace davit::token_registry
