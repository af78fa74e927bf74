// Tests of permissions, connections and repositories through the API.
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

// Which of the test's roles may call what; kept apart from libs/auth's table on purpose.

TEST_F(TokenRegistryAppTest, EveryRpcAdmitsItsRolesAndNobodyElse) {
  const std::set<std::string> everybody = {"root",    "admin",  "developer", "viewer",  "agent",
                                           "gateway", "engine", "scheduler", "console", "stranger"};
  const std::set<std::string> admins = {"root", "admin", "stranger"};
  const std::set<std::string> readers = {"root", "admin", "stranger", "developer", "viewer", "engine", "scheduler"};
  const std::set<std::string> source_readers = {"root", "admin", "stranger", "developer", "engine", "scheduler"};
  const std::map<std::string, std::set<std::string>> allowed = {
      {"TokenRegistry/CreateConnection", admins},
      {"TokenRegistry/GetConnection", readers},
      {"TokenRegistry/ListConnections", readers},
      {"TokenRegistry/UpdateConnection", admins},
      {"TokenRegistry/RotateConnectionToken", admins},
      {"TokenRegistry/BeginOAuth", admins},
      {"TokenRegistry/FinishOAuth", admins},
      {"TokenRegistry/ListSecretAccesses", admins},
      {"TokenRegistry/DeleteConnection", admins},
      {"TokenRegistry/VerifyConnection", admins},
      {"TokenRegistry/ListRefs", source_readers},
      {"TokenRegistry/GetCommit", source_readers},
      {"TokenRegistry/ListRepositories", source_readers},
      {"TokenRegistry/ListOrganizations", source_readers},
      {"TokenRegistry/ListChangedPaths", source_readers},
      {"TokenRegistry/SetCommitStatus", {"engine", "scheduler"}},
      {"TokenRegistry/EnsureWebhook", admins},
      {"TokenRegistry/RemoveWebhook", {"root", "admin", "stranger", "engine"}},
      {"TokenRegistry/RotateKeys", {"root"}},
      {"TokenRegistry/CreateRegistryCredential", admins},
      {"TokenRegistry/GetRegistryCredential", readers},
      {"TokenRegistry/ListRegistryCredentials", readers},
      {"TokenRegistry/DeleteRegistryCredential", admins},
      {"TokenRegistry/CreateWebhook", admins},
      {"TokenRegistry/ListWebhooks", readers},
      {"TokenRegistry/DeleteWebhook", admins},
      {"TokenRegistry/GetWebhookSecret", {"gateway"}},
      {"TokenRegistry/GrantBuildCredentials", {"scheduler"}},
      {"TokenRegistry/RevokeBuildCredentials", {"scheduler"}},
      {"TokenRegistry/IssueBuildCredentials", {"agent"}},
      {"TokenRegistry/IssuePublishCredentials", {"scheduler"}},
      {"IdentityService/CreateApiToken", admins},
      {"IdentityService/ListApiTokens", admins},
      {"IdentityService/RevokeApiToken", admins},
      {"IdentityService/IntrospectToken", {"gateway", "engine", "scheduler", "console"}},
      {"IdentityService/GetCaller", everybody},
  };
  std::set<std::string> declared;
  for (const char* service : {"davit.registry.v1.TokenRegistry", "davit.registry.v1.IdentityService"}) {
    const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
    for (int i = 0; i < descriptor->method_count(); ++i) {
      declared.insert(absl::StrCat(descriptor->name(), "/", descriptor->method(i)->name()));
    }
  }
  ASSERT_EQ(declared.size(), allowed.size());
  for (const auto& [name, roles] : allowed) {
    ASSERT_TRUE(declared.contains(name)) << name;
    const std::string method = "/davit.registry.v1." + name;
    EXPECT_EQ(CallEmpty(method, ""), absl::StatusCode::kUnauthenticated) << name;
    EXPECT_EQ(CallEmpty(method, "dvt_" + std::string(43, 'x')), absl::StatusCode::kUnauthenticated) << name;
    for (const std::string& who : everybody) {
      const absl::StatusCode code = CallEmpty(method, TokenOf(who));
      EXPECT_EQ(code != absl::StatusCode::kPermissionDenied, roles.contains(who)) << name << " as " << who;
      EXPECT_NE(code, absl::StatusCode::kUnauthenticated) << name << " as " << who;
      EXPECT_NE(code, absl::StatusCode::kInternal) << name << " as " << who;
    }
  }
}

TEST_F(TokenRegistryAppTest, AConnectionIsTriedCompletedAndStored) {
  provider_->SetFacts({"ann", {"repo", "read:user"}, clock_.Now() + absl::Hours(24 * 30)});
  const v1::Connection made = MustCreateConnection();
  EXPECT_THAT(made.id(), StartsWith("con_"));
  EXPECT_EQ(made.project(), "default");
  EXPECT_EQ(made.base_url(), "https://github.com");
  EXPECT_EQ(made.username(), "x-access-token");
  EXPECT_EQ(made.state(), v1::Connection::STATE_ACTIVE);
  EXPECT_EQ(made.account(), "ann");
  EXPECT_EQ(made.scopes_size(), 2);
  EXPECT_EQ(made.token_expire_time().seconds(), absl::ToUnixSeconds(clock_.Now() + absl::Hours(24 * 30)));
  EXPECT_EQ(provider_->shown(), std::vector<std::string>{kSourceToken});

  v1::GetConnectionRequest get;
  get.set_id(made.id());
  const auto got = Call("viewer", &Registry::GetConnection, get);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->connection().DebugString(), made.DebugString());
  EXPECT_EQ(Call("stranger", &Registry::GetConnection, get).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TokenRegistryAppTest, ARefusedTokenIsNotStored) {
  provider_->Fail(absl::FailedPreconditionError("credential rejected by github.com (401)"));
  const auto refused = Call("admin", &Registry::CreateConnection, ConnectionRequest());
  EXPECT_EQ(refused.status(), absl::FailedPreconditionError("credential rejected by github.com (401)"));
  EXPECT_EQ(Call("viewer", &Registry::ListConnections, {})->connections_size(), 0);
}

TEST_F(TokenRegistryAppTest, AWrongConnectionNamesItsField) {
  const auto error = [this](const v1::CreateConnectionRequest& request) {
    return std::string(Call("admin", &Registry::CreateConnection, request).status().message());
  };
  v1::CreateConnectionRequest request = ConnectionRequest();
  request.mutable_connection()->set_base_url("https://169.254.169.254");
  EXPECT_THAT(error(request), StartsWith("base_url: address not allowed"));
  request.mutable_connection()->set_base_url("file:///etc");
  EXPECT_THAT(error(request), StartsWith("base_url: scheme not allowed"));
  request = ConnectionRequest("");
  EXPECT_THAT(error(request), StartsWith("display_name: "));
  request = ConnectionRequest();
  request.mutable_connection()->clear_provider();
  EXPECT_THAT(error(request), StartsWith("provider: "));
  request = ConnectionRequest();
  request.clear_token();
  EXPECT_THAT(error(request), StartsWith("token: "));
  request = ConnectionRequest();
  request.set_project("other");
  EXPECT_EQ(Call("admin", &Registry::CreateConnection, request).status().code(), absl::StatusCode::kPermissionDenied);
  provider_->Fail(absl::InvalidArgumentError("address not allowed: 127.0.0.1"));
  EXPECT_EQ(error(ConnectionRequest()), "base_url: address not allowed: 127.0.0.1");
  EXPECT_TRUE(provider_->shown().size() == 1) << "only the last one was tried";
}

TEST_F(TokenRegistryAppTest, ConnectionsAreListedInPages) {
  for (const char* name : {"c", "a", "b"}) MustCreateConnection(name);
  v1::ListConnectionsRequest request;
  request.set_page_size(2);
  auto page = Call("viewer", &Registry::ListConnections, request);
  ASSERT_EQ(page->connections_size(), 2);
  EXPECT_EQ(page->connections(1).display_name(), "b");
  request.set_page_token(page->next_page_token());
  page = Call("viewer", &Registry::ListConnections, request);
  ASSERT_EQ(page->connections_size(), 1);
  EXPECT_EQ(page->connections(0).display_name(), "c");
  EXPECT_EQ(page->next_page_token(), "");
  request.set_page_token("!");
  EXPECT_THAT(Call("viewer", &Registry::ListConnections, request).status(), Says(StartsWith("page_token: ")));
  request.set_page_size(501);
  EXPECT_THAT(Call("viewer", &Registry::ListConnections, request).status(), Says(StartsWith("page_size: ")));
}

TEST_F(TokenRegistryAppTest, ANewTokenIsTriedBeforeItReplacesTheOld) {
  const v1::Connection made = MustCreateConnection();
  v1::UpdateConnectionRequest request;
  request.mutable_connection()->set_id(made.id());
  request.mutable_connection()->set_display_name("renamed");
  request.mutable_update_mask()->add_paths("display_name");
  ASSERT_TRUE(Call("admin", &Registry::UpdateConnection, request).ok());
  EXPECT_EQ(provider_->shown().size(), 1u) << "a new name needs no trial";

  v1::RotateConnectionTokenRequest rotate;
  rotate.set_id(made.id());
  rotate.set_token("planted-new-token");
  rotate.set_username("robot");
  provider_->Fail(absl::FailedPreconditionError("credential rejected by github.com (401)"));
  EXPECT_EQ(Call("admin", &Registry::RotateConnectionToken, rotate).status().code(),
            absl::StatusCode::kFailedPrecondition);
  provider_->Fail(absl::OkStatus());
  v1::VerifyConnectionRequest verify;
  verify.set_id(made.id());
  ASSERT_TRUE(Call("admin", &Registry::VerifyConnection, verify).ok());
  EXPECT_EQ(provider_->shown().back(), kSourceToken);
  const auto rotated = Call("admin", &Registry::RotateConnectionToken, rotate);
  ASSERT_TRUE(rotated.ok()) << rotated.status();
  EXPECT_EQ(rotated->connection().display_name(), "renamed");
  EXPECT_EQ(rotated->connection().username(), "robot");
  EXPECT_EQ(rotated->connection().credential_kind(), v1::Connection::CREDENTIAL_KIND_ACCESS_TOKEN);
  rotate.set_token("two words");
  EXPECT_THAT(Call("admin", &Registry::RotateConnectionToken, rotate).status(), Says(StartsWith("token: ")));
  ASSERT_TRUE(Call("admin", &Registry::VerifyConnection, verify).ok());
  EXPECT_EQ(provider_->shown().back(), "planted-new-token");

  request.set_token("planted-new-token");
  EXPECT_THAT(Call("admin", &Registry::UpdateConnection, request).status(), Says(HasSubstr("RotateConnectionToken")));
  request.clear_token();
  request.mutable_update_mask()->add_paths("base_url");
  EXPECT_THAT(Call("admin", &Registry::UpdateConnection, request).status(), Says(StartsWith("update_mask: ")));
}

TEST_F(TokenRegistryAppTest, AVerificationRecordsThatTheTokenWasRevoked) {
  const v1::Connection made = MustCreateConnection();
  v1::VerifyConnectionRequest verify;
  verify.set_id(made.id());
  provider_->Fail(absl::FailedPreconditionError("credential rejected by github.com (401)"));
  const auto invalid = Call("admin", &Registry::VerifyConnection, verify);
  ASSERT_TRUE(invalid.ok()) << invalid.status();
  EXPECT_EQ(invalid->connection().state(), v1::Connection::STATE_INVALID);
  EXPECT_EQ(invalid->connection().state_reason(), "credential rejected by github.com (401)");
  provider_->Fail(absl::UnavailableError("away"));
  EXPECT_EQ(Call("admin", &Registry::VerifyConnection, verify).status().code(), absl::StatusCode::kUnavailable);
  provider_->Fail(absl::OkStatus());
  const auto active = Call("admin", &Registry::VerifyConnection, verify);
  EXPECT_EQ(active->connection().state(), v1::Connection::STATE_ACTIVE);
  EXPECT_EQ(active->connection().state_reason(), "");
}

TEST_F(TokenRegistryAppTest, ADeletedConnectionIsGone) {
  v1::DeleteConnectionRequest request;
  request.set_id(MustCreateConnection().id());
  EXPECT_EQ(Call("stranger", &Registry::DeleteConnection, request).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Call("admin", &Registry::DeleteConnection, request).ok());
  EXPECT_EQ(Call("admin", &Registry::DeleteConnection, request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TokenRegistryAppTest, RevisionsAreResolved) {
  const std::string main_commit(40, 'a');
  const std::string branch_commit(40, 'b');
  const std::string tag_commit(40, 'c');
  provider_->SetRefs({{{"refs/heads/main", main_commit},
                       {"refs/heads/v1", branch_commit},
                       {"refs/tags/v1", tag_commit},
                       {"refs/tags/v2", tag_commit}},
                      "refs/heads/main"});
  const v1::Connection connection = MustCreateConnection();
  v1::GetCommitRequest request;
  request.set_connection_id(connection.id());
  request.set_repository("owner/name");
  const auto resolve = [&](const std::string& revision) {
    request.set_revision(revision);
    const auto response = Call("engine", &Registry::GetCommit, request);
    return response.ok() ? response->commit().id() + " " + response->commit().ref()
                         : std::string(response.status().message());
  };
  EXPECT_EQ(resolve(""), main_commit + " refs/heads/main");
  EXPECT_EQ(resolve("main"), main_commit + " refs/heads/main");
  EXPECT_EQ(resolve("v1"), branch_commit + " refs/heads/v1");
  EXPECT_EQ(resolve("refs/tags/v1"), tag_commit + " refs/tags/v1");
  EXPECT_EQ(resolve("v2"), tag_commit + " refs/tags/v2");
  EXPECT_EQ(resolve("gone"), "revision not found: gone");
  EXPECT_EQ(resolve(std::string(40, 'D')), std::string(40, 'd') + " ");
  EXPECT_THAT(resolve("--upload-pack=x"), HasSubstr("invalid ref"));
  EXPECT_EQ(provider_->asked(), "https://github.com/owner/name.git");

  v1::ListRefsRequest list;
  list.set_connection_id(connection.id());
  list.set_repository("owner/name");
  const auto refs = Call("developer", &Registry::ListRefs, list);
  ASSERT_TRUE(refs.ok()) << refs.status();
  EXPECT_EQ(refs->refs_size(), 4);
  EXPECT_EQ(refs->default_branch(), "refs/heads/main");
  list.set_repository("../etc");
  EXPECT_THAT(Call("developer", &Registry::ListRefs, list).status(), Says(StartsWith("repository: ")));
}

TEST_F(TokenRegistryAppTest, ARestartKeepsEverythingAndOpensItWithTheSameKeys) {
  const v1::Connection connection = MustCreateConnection();
  Restart();
  v1::VerifyConnectionRequest verify;
  verify.set_id(connection.id());
  ASSERT_TRUE(Call("admin", &Registry::VerifyConnection, verify).ok());
  EXPECT_EQ(provider_->shown().back(), kSourceToken);

  std::ofstream(options_.key_file) << crypto::KeyRing::NewFileText("other", random_).Reveal();
  Restart();
  const absl::Status status = Call("admin", &Registry::VerifyConnection, verify).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("put the old key back"));
}

TEST_F(TokenRegistryAppTest, TheDatabaseMayRestartUnderIt) {
  MustCreateConnection();
  database_.BreakConnections();
  EXPECT_EQ(Call("viewer", &Registry::ListConnections, {})->connections_size(), 1);
}

}  // namespace
}  // namespace davit::token_registry
