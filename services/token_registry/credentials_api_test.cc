// Tests of registry credentials, webhooks and credentials for builds through the API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/token_registry/testing/token_registry_fixture.h"

namespace davit::token_registry {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(TokenRegistryAppTest, RegistryCredentialsAreTriedAndStored) {
  const v1::RegistryCredential made = MustCreateCredential();
  EXPECT_THAT(made.id(), StartsWith("rcr_"));
  EXPECT_EQ(provider_->shown(), std::vector<std::string>{kPassword});
  v1::GetRegistryCredentialRequest get;
  get.set_id(made.id());
  EXPECT_EQ(Call("viewer", &Registry::GetRegistryCredential, get)->registry_credential().username(), "ann");
  EXPECT_EQ(Call("scheduler", &Registry::ListRegistryCredentials, {})->registry_credentials_size(), 1);

  v1::CreateRegistryCredentialRequest request;
  request.mutable_registry_credential()->set_display_name("bad");
  request.mutable_registry_credential()->set_registry("not a registry");
  EXPECT_THAT(Call("admin", &Registry::CreateRegistryCredential, request).status(), Says(StartsWith("registry: ")));
  request.mutable_registry_credential()->set_registry("ghcr.io");
  request.set_password("without a user");
  EXPECT_THAT(Call("admin", &Registry::CreateRegistryCredential, request).status(), Says(StartsWith("password: ")));
  request.mutable_registry_credential()->set_username("ann");
  provider_->Fail(absl::FailedPreconditionError("credential rejected by ghcr.io (401)"));
  EXPECT_EQ(Call("admin", &Registry::CreateRegistryCredential, request).status(),
            absl::FailedPreconditionError("credential rejected by ghcr.io (401)"));

  v1::DeleteRegistryCredentialRequest remove;
  remove.set_id(made.id());
  EXPECT_TRUE(Call("admin", &Registry::DeleteRegistryCredential, remove).ok());
  EXPECT_EQ(Call("viewer", &Registry::GetRegistryCredential, get).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TokenRegistryAppTest, OnlyTheGatewayLearnsAWebhooksSecretAgain) {
  v1::CreateWebhookRequest request;
  request.set_connection_id(MustCreateConnection().id());
  request.set_repository("owner/name");
  const auto made = Call("admin", &Registry::CreateWebhook, request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->path(), "/hooks/" + made->webhook().id());
  EXPECT_EQ(made->webhook().provider(), v1::PROVIDER_GITHUB);
  EXPECT_GE(made->secret().size(), 43u);

  v1::GetWebhookSecretRequest get;
  get.set_id(made->webhook().id());
  const auto got = Call("gateway", &Registry::GetWebhookSecret, get);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->secret(), made->secret());
  EXPECT_EQ(got->webhook().project(), "default");
  EXPECT_EQ(Call("viewer", &Registry::ListWebhooks, {})->webhooks_size(), 1);
  v1::DeleteWebhookRequest remove;
  remove.set_id(made->webhook().id());
  EXPECT_TRUE(Call("admin", &Registry::DeleteWebhook, remove).ok());
  EXPECT_EQ(Call("gateway", &Registry::GetWebhookSecret, get).status().code(), absl::StatusCode::kNotFound);
  request.set_connection_id("con_gone");
  EXPECT_EQ(Call("admin", &Registry::CreateWebhook, request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TokenRegistryAppTest, AGitlabWebhooksSecretIsASigningKey) {
  v1::CreateConnectionRequest gitlab = ConnectionRequest("lab");
  gitlab.mutable_connection()->set_provider(v1::PROVIDER_GITLAB);
  const auto connection = Call("admin", &Registry::CreateConnection, gitlab);
  ASSERT_TRUE(connection.ok()) << connection.status();
  v1::CreateWebhookRequest request;
  request.set_connection_id(connection->connection().id());
  const auto made = Call("admin", &Registry::CreateWebhook, request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->secret(), StartsWith("whsec_"));
  std::string key;
  EXPECT_TRUE(absl::Base64Unescape(made->secret().substr(6), &key));
  EXPECT_EQ(key.size(), 32u);
}

TEST_F(TokenRegistryAppTest, AnAgentIsIssuedWhatItsBuildWasGranted) {
  const v1::Connection connection = MustCreateConnection();
  const v1::RegistryCredential credential = MustCreateCredential();
  EXPECT_EQ(Issue(7).status().code(), absl::StatusCode::kNotFound);
  const auto request = GrantRequest(connection, credential, 7);
  ASSERT_TRUE(Grant(request).ok());
  ASSERT_TRUE(Grant(request).ok()) << "granting the same again changes nothing";
  const auto issued = Issue(7);
  ASSERT_TRUE(issued.ok()) << issued.status();
  EXPECT_EQ(issued->source().clone_url(), "https://github.com/owner/name.git");
  EXPECT_EQ(issued->source().username(), "x-access-token");
  EXPECT_EQ(issued->source().password(), kSourceToken);
  EXPECT_EQ(issued->registry().registry(), "127.0.0.1:5000");
  EXPECT_EQ(issued->registry().password(), kPassword);
  EXPECT_EQ(issued->expire_time().seconds(), request.expire_time().seconds());
  EXPECT_EQ(Issue(8).status().code(), absl::StatusCode::kNotFound) << "not granted yet";
}

TEST_F(TokenRegistryAppTest, ALargerFenceSupersedesASmaller) {
  const v1::Connection connection = MustCreateConnection();
  const v1::RegistryCredential credential = MustCreateCredential();
  ASSERT_TRUE(Grant(GrantRequest(connection, credential, 7)).ok());
  ASSERT_TRUE(Grant(GrantRequest(connection, credential, 9)).ok());
  EXPECT_EQ(Issue(7).status(), absl::FailedPreconditionError("lease superseded by fence 9"));
  EXPECT_EQ(Grant(GrantRequest(connection, credential, 8)),
            absl::FailedPreconditionError("lease superseded by fence 9"));
  EXPECT_TRUE(Issue(9).ok());
  ASSERT_TRUE(Revoke(7).ok());
  EXPECT_TRUE(Issue(9).ok()) << "revoking a smaller fence does not end a larger one";
}

TEST_F(TokenRegistryAppTest, ARevokedOrExpiredGrantIssuesNothing) {
  const v1::Connection connection = MustCreateConnection();
  const v1::RegistryCredential credential = MustCreateCredential();
  ASSERT_TRUE(Grant(GrantRequest(connection, credential, 7)).ok());
  ASSERT_TRUE(Revoke(7).ok());
  ASSERT_TRUE(Revoke(7).ok());
  const absl::Status ended = absl::FailedPreconditionError("the grant of build bld_1 has ended");
  EXPECT_EQ(Issue(7).status(), ended);
  EXPECT_EQ(Grant(GrantRequest(connection, credential, 7)), ended) << "a late grant revives nothing";
  ASSERT_TRUE(Revoke(9).ok());
  EXPECT_EQ(Grant(GrantRequest(connection, credential, 9)), ended) << "also one that was revoked before it came";
  ASSERT_TRUE(Grant(GrantRequest(connection, credential, 10)).ok());
  ASSERT_TRUE(Issue(10).ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Issue(10).status(), ended);
}

TEST_F(TokenRegistryAppTest, AGrantNamesWhatExistsInItsProject) {
  const v1::Connection connection = MustCreateConnection();
  const v1::RegistryCredential credential = MustCreateCredential();
  auto request = GrantRequest(connection, credential, 7);
  request.set_project("other");
  EXPECT_EQ(Grant(request), absl::NotFoundError("connection not found: " + connection.id()));
  request = GrantRequest(connection, credential, 7);
  request.mutable_scope()->set_image_repository("ghcr.io/team/app");
  EXPECT_THAT(std::string(Grant(request).message()), StartsWith("scope.image_repository: is not on"));
  request = GrantRequest(connection, credential, 7);
  request.mutable_scope()->set_image_repository("127.0.0.1:5000/UPPER/..:x y");
  EXPECT_THAT(std::string(Grant(request).message()), HasSubstr("invalid image reference"));
  request = GrantRequest(connection, credential, 7);
  request.clear_project();
  EXPECT_EQ(Grant(request), absl::InvalidArgumentError("project: required"));
  request = GrantRequest(connection, credential, 7);
  request.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock_.Now()));
  EXPECT_THAT(std::string(Grant(request).message()), StartsWith("expire_time: "));
  request = GrantRequest(connection, credential, 0);
  EXPECT_THAT(std::string(Grant(request).message()), StartsWith("fence: "));
  request = GrantRequest(v1::Connection(), v1::RegistryCredential(), 7);
  request.mutable_scope()->clear_repository();
  ASSERT_TRUE(Grant(request).ok());
  const auto issued = Issue(7);
  ASSERT_TRUE(issued.ok()) << issued.status();
  EXPECT_FALSE(issued->has_source());
  EXPECT_FALSE(issued->has_registry());
}

TEST_F(TokenRegistryAppTest, TagsArePublishedWithTheCredentialOfTheirRegistry) {
  v1::IssuePublishCredentialsRequest request;
  request.set_project("default");
  request.set_build_id("bld_1");
  request.set_registry_credential_id(MustCreateCredential().id());
  request.set_image_repository("127.0.0.1:5000/team/app");
  const auto issued = Call("scheduler", &Registry::IssuePublishCredentials, request);
  ASSERT_TRUE(issued.ok()) << issued.status();
  EXPECT_EQ(issued->registry().password(), kPassword);
  request.set_image_repository("ghcr.io/team/app");
  EXPECT_EQ(Call("scheduler", &Registry::IssuePublishCredentials, request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TokenRegistryAppTest, SecretsStandNowhereButEveryOpeningDoes) {
  const v1::Connection connection = MustCreateConnection();
  const v1::RegistryCredential credential = MustCreateCredential();
  v1::CreateWebhookRequest webhook;
  webhook.set_connection_id(connection.id());
  const std::string webhook_secret = Call("admin", &Registry::CreateWebhook, webhook)->secret();
  v1::CreateApiTokenRequest create;
  create.set_display_name("ci");
  create.set_role(v1::ROLE_VIEWER);
  const std::string api_token = CallIdentity(TokenOf("admin"), &Identity::CreateApiToken, create)->token();
  ASSERT_TRUE(Grant(GrantRequest(connection, credential, 7)).ok());
  ASSERT_TRUE(Issue(7).ok());

  const std::string dump = database_.Dump();
  for (const std::string& secret : {std::string(kSourceToken), std::string(kPassword), webhook_secret, api_token,
                                    TokenOf("admin"), TokenOf("agent")}) {
    EXPECT_FALSE(absl::StrContains(dump, secret));
    EXPECT_FALSE(absl::StrContains(dump, absl::BytesToHexString(secret)));
    EXPECT_FALSE(absl::StrContains(dump, absl::Base64Escape(secret)));
    EXPECT_FALSE(log_.Contains(secret));
  }
  EXPECT_TRUE(absl::StrContains(dump, absl::StrCat(connection.id(), "\ttoken\tbuild\tbld_1"))) << dump;
  EXPECT_TRUE(absl::StrContains(dump, absl::StrCat(credential.id(), "\tpassword\tbuild\tbld_1"))) << dump;
}

}  // namespace
}  // namespace davit::token_registry
