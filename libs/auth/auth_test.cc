// Tests of libs/auth against a real server in process.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "davit/registry/v1/identity.grpc.pb.h"
#include "libs/auth/call_guard.h"
#include "libs/auth/introspecting_authenticator.h"
#include "libs/auth/testing/fake_authenticator.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/logging/testing/captured_log.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status_conversion.h"

namespace davit::auth {
namespace {

namespace registry_v1 = ::davit::registry::v1;
using ::testing::HasSubstr;

// A token-registry whose RPCs ask for one permission each.
class GuardedIdentity : public registry_v1::IdentityService::Service {
 public:
  explicit GuardedIdentity(CallGuard& guard) : guard_(guard) {}

  grpc::Status GetCaller(grpc::ServerContext* context, const registry_v1::GetCallerRequest*,
                         registry_v1::GetCallerResponse* response) override {
    const absl::StatusOr<Caller> caller = guard_.Admit(*context, permission);
    if (!caller.ok()) return rpc::ToGrpcStatus(caller.status());
    response->mutable_api_token()->set_id(caller->token_id);
    response->mutable_api_token()->set_display_name(caller->request_id);
    return grpc::Status::OK;
  }

  grpc::Status IntrospectToken(grpc::ServerContext*, const registry_v1::IntrospectTokenRequest* request,
                               registry_v1::IntrospectTokenResponse* response) override {
    ++introspections;
    if (!error.ok()) return rpc::ToGrpcStatus(error);
    if (request->token() != "dvt_good") return grpc::Status::OK;
    response->set_active(true);
    response->set_token_id("tok_good");
    response->set_project("team");
    response->set_role(registry_v1::ROLE_DEVELOPER);
    if (expires != absl::InfiniteFuture()) response->mutable_expire_time()->set_seconds(absl::ToUnixSeconds(expires));
    return grpc::Status::OK;
  }

  CallGuard& guard_;
  Permission permission = Permission::kRead;
  int introspections = 0;
  absl::Time expires = absl::InfiniteFuture();
  absl::Status error;
};

class AuthTest : public ::testing::Test {
 protected:
  AuthTest() {
    authenticator_.Add("view", Role::kViewer);
    authenticator_.Add("root", Role::kAdmin, kAllProjects);
    authenticator_.Add("admin", Role::kAdmin);
    auto started = rpc::Server::Start(rpc::ServerOptions(), {&identity_}, log_.logger(), metrics_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  absl::StatusOr<registry_v1::ApiToken> Call(const std::string& token, const std::string& request_id = "") {
    rpc::ClientOptions options;
    options.token = crypto::SecretString(token);
    grpc::ClientContext context;
    rpc::SetDeadline(context, absl::Seconds(10));
    if (!request_id.empty()) rpc::SetRequestId(context, request_id);
    registry_v1::GetCallerResponse response;
    const absl::Status status =
        rpc::FromGrpcStatus(registry_v1::IdentityService::NewStub(server_->InProcessChannel(options))
                                ->GetCaller(&context, registry_v1::GetCallerRequest(), &response));
    if (!status.ok()) return status;
    return response.api_token();
  }

  FakeAuthenticator authenticator_;
  FakeClock clock_;
  FakeRandom random_;
  CapturedLog log_;
  metrics::Registry metrics_;
  CallGuard guard_{authenticator_, clock_, random_, metrics_};
  GuardedIdentity identity_{guard_};
  std::unique_ptr<rpc::Server> server_;
};

TEST_F(AuthTest, AValidTokenGivesTheHandlerItsCaller) {
  const auto token = Call("view", "req_mine");
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->id(), "tok_view");
  EXPECT_EQ(token->display_name(), "req_mine");
  EXPECT_THAT(log_.text(), HasSubstr("\"request\":\"req_mine\""));
  EXPECT_THAT(log_.text(), HasSubstr("\"token\":\"tok_view\""));
}

TEST_F(AuthTest, ARequestIdThatCouldSpoilALogIsReplaced) {
  const auto token = Call("view", "a b\"c");
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->display_name().substr(0, 4), "req_");
}

TEST_F(AuthTest, ACallWithoutATokenIsUnauthenticated) {
  EXPECT_EQ(Call("").status(), absl::UnauthenticatedError("missing bearer token"));
}

TEST_F(AuthTest, AnUnknownTokenIsUnauthenticatedAndIsNotRepeated) {
  EXPECT_EQ(Call("wrong").status(), absl::UnauthenticatedError("token is not valid or was revoked"));
  EXPECT_FALSE(log_.Contains("wrong"));
  EXPECT_THAT(metrics_.ServeText(), HasSubstr("davit_auth_refused_calls_total{code=\"UNAUTHENTICATED\"} 1"));
}

TEST_F(AuthTest, ADeniedCallSaysWhichRoleLacksWhat) {
  identity_.permission = Permission::kWriteRules;
  EXPECT_EQ(Call("view").status(), absl::PermissionDeniedError("role viewer may not write rules"));
  EXPECT_TRUE(Call("admin").ok());
}

TEST_F(AuthTest, TheSystemIsOperatedByAdminsOfAllProjectsOnly) {
  identity_.permission = Permission::kOperateSystem;
  EXPECT_TRUE(Call("root").ok());
  EXPECT_EQ(Call("admin").status(),
            absl::PermissionDeniedError("role admin of project \"default\" may not operate the system: that needs an "
                                        "admin of all projects"));
}

TEST_F(AuthTest, ACallInsideTheProcessIsCheckedAsAnyOther) {
  const auto caller = guard_.Admit(crypto::SecretString("view"), Permission::kRead);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->token_id, "tok_view");
  EXPECT_EQ(caller->request_id.substr(0, 4), "req_");
  EXPECT_EQ(guard_.Admit(crypto::SecretString("view"), Permission::kWriteRules).status(),
            absl::PermissionDeniedError("role viewer may not write rules"));
  EXPECT_EQ(guard_.Admit(crypto::SecretString("wrong"), Permission::kRead).status(),
            absl::UnauthenticatedError("token is not valid or was revoked"));
  EXPECT_EQ(guard_.Admit(crypto::SecretString(""), Permission::kRead).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(metrics_.ServeText(), HasSubstr("davit_auth_refused_calls_total{code=\"UNAUTHENTICATED\"} 2"));
}

TEST_F(AuthTest, WhenIdentitiesCannotBeCheckedACallMayBeTriedAgain) {
  authenticator_.Fail(absl::UnavailableError("token-registry is away"));
  EXPECT_EQ(Call("view").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(AuthTest, IntrospectionIsRememberedForItsTime) {
  IntrospectingAuthenticator authenticator(server_->InProcessChannel({}), clock_);
  for (int i = 0; i < 3; ++i) {
    const auto caller = authenticator.Authenticate("dvt_good");
    ASSERT_TRUE(caller.ok()) << caller.status();
    EXPECT_EQ(caller->token_id, "tok_good");
    EXPECT_EQ(caller->project, "team");
    EXPECT_EQ(caller->role, Role::kDeveloper);
    clock_.Advance(absl::Seconds(14));
  }
  EXPECT_EQ(identity_.introspections, 1);
  EXPECT_TRUE(authenticator.Authenticate("dvt_good").ok());
  EXPECT_EQ(identity_.introspections, 2);
}

TEST_F(AuthTest, ARefusalIsRememberedForAShorterTime) {
  IntrospectingAuthenticator authenticator(server_->InProcessChannel({}), clock_);
  EXPECT_EQ(authenticator.Authenticate("dvt_bad").status(), InvalidTokenError());
  EXPECT_EQ(authenticator.Authenticate("dvt_bad").status(), InvalidTokenError());
  EXPECT_EQ(identity_.introspections, 1);
  clock_.Advance(absl::Seconds(6));
  EXPECT_EQ(authenticator.Authenticate("dvt_bad").status(), InvalidTokenError());
  EXPECT_EQ(identity_.introspections, 2);
}

TEST_F(AuthTest, ATokenIsNotRememberedPastItsEnd) {
  identity_.expires = clock_.Now() + absl::Seconds(3);
  IntrospectingAuthenticator authenticator(server_->InProcessChannel({}), clock_);
  EXPECT_TRUE(authenticator.Authenticate("dvt_good").ok());
  clock_.Advance(absl::Seconds(4));
  EXPECT_TRUE(authenticator.Authenticate("dvt_good").ok());
  EXPECT_EQ(identity_.introspections, 2);
}

TEST_F(AuthTest, AnErrorOfTheRegistryIsUnavailableAndNotRemembered) {
  IntrospectingAuthenticator authenticator(server_->InProcessChannel({}), clock_);
  identity_.error = absl::PermissionDeniedError("role viewer may not introspect tokens");
  EXPECT_EQ(authenticator.Authenticate("dvt_good").status().code(), absl::StatusCode::kUnavailable);
  identity_.error = absl::OkStatus();
  EXPECT_TRUE(authenticator.Authenticate("dvt_good").ok());
}

TEST_F(AuthTest, TheCacheIsBounded) {
  IntrospectingAuthenticator::Options options;
  options.max_entries = 2;
  IntrospectingAuthenticator authenticator(server_->InProcessChannel({}), clock_, options);
  for (const char* token : {"a", "b", "c"}) EXPECT_FALSE(authenticator.Authenticate(token).ok());
  EXPECT_FALSE(authenticator.Authenticate("a").ok());
  EXPECT_EQ(identity_.introspections, 4);
}

TEST(PermissionsTest, EachRoleOfAPersonHoldsWhatTheOneBeforeHolds) {
  for (int i = 0; i <= static_cast<int>(Permission::kReportStatus); ++i) {
    const auto permission = static_cast<Permission>(i);
    if (Allows(Role::kViewer, permission)) {
      EXPECT_TRUE(Allows(Role::kDeveloper, permission));
    }
    if (Allows(Role::kDeveloper, permission)) {
      EXPECT_TRUE(Allows(Role::kAdmin, permission));
    }
  }
}

TEST(PermissionsTest, AnAgentCanOnlyDoAnAgentsWork) {
  for (int i = 0; i <= static_cast<int>(Permission::kReportStatus); ++i) {
    const auto permission = static_cast<Permission>(i);
    const bool own = permission == Permission::kAny || permission == Permission::kWorkBuilds ||
                     permission == Permission::kIssueBuildCredentials;
    EXPECT_EQ(Allows(Role::kAgent, permission), own) << PermissionName(permission);
  }
}

TEST(PermissionsTest, NoPersonGetsASecretOut) {
  for (const Permission permission : {Permission::kReadWebhookSecrets, Permission::kIssueBuildCredentials,
                                      Permission::kIssuePublishCredentials, Permission::kIntrospectTokens}) {
    EXPECT_FALSE(Allows(Role::kAdmin, permission)) << PermissionName(permission);
  }
}

TEST(PermissionsTest, RolesAreReadByNameAndNumber) {
  EXPECT_EQ(*ParseRole("rule-engine"), Role::kRuleEngine);
  EXPECT_EQ(RoleName(*RoleFromNumber(10)), "agent");
  EXPECT_FALSE(RoleFromNumber(4).ok());
  EXPECT_THAT(std::string(ParseRole("root").status().message()), HasSubstr("viewer, developer, admin"));
}

TEST(CallerTest, ARequestWithoutAProjectIsAboutTheCallersOwn) {
  EXPECT_EQ(*ResolveProject(Caller{"tok_1", "", "team", Role::kViewer, ""}, ""), "team");
  EXPECT_EQ(*ResolveProject(Caller{"tok_1", "", "*", Role::kAdmin, ""}, ""), "default");
  EXPECT_EQ(*ResolveProject(Caller{"tok_1", "", "*", Role::kAdmin, ""}, "team"), "team");
}

TEST(CallerTest, AnotherProjectIsDeniedAndABadNameIsInvalid) {
  const Caller caller{"tok_1", "", "team", Role::kViewer, ""};
  EXPECT_EQ(ResolveProject(caller, "other").status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ResolveProject(caller, "*").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ResolveProject(caller, "-x").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit::auth
