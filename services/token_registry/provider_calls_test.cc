// Tests of the token-registry's API towards providers: commit statuses, listings, webhooks, scopes, the ends of tokens,
// the rotation of keys. Real PostgreSQL, fake providers.
#include "services/token_registry/testing/token_registry_fixture.h"

namespace davit::token_registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Stub = v1::TokenRegistry::StubInterface;

class ProviderCallsTest : public TokenRegistryAppTest {
 protected:
  ProviderCallsTest() {
    options_.webhook_public_url = "https://hooks.example.com/";
    Restart();
  }

  static v1::SetCommitStatusRequest StatusRequest(const std::string& connection_id) {
    v1::SetCommitStatusRequest request;
    request.set_project("default");
    request.set_connection_id(connection_id);
    request.set_repository("team/app");
    request.set_commit(std::string(40, 'a'));
    request.set_context("davit/main");
    request.set_state(v1::COMMIT_STATE_RUNNING);
    request.set_target_url("https://davit.example.com/builds/bld_1");
    request.set_build_id("bld_1");
    return request;
  }

  static v1::EnsureWebhookRequest HookRequest(const std::string& connection_id) {
    v1::EnsureWebhookRequest request;
    request.set_connection_id(connection_id);
    request.set_repository("team/app");
    return request;
  }
};

TEST_F(ProviderCallsTest, ACommitIsMarkedWithTheConnectionsToken) {
  const auto connection = MustCreateConnection();
  const auto response = Call("scheduler", &Stub::SetCommitStatus, StatusRequest(connection.id()));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outcome(), v1::SetCommitStatusResponse::OUTCOME_SET);
  ASSERT_EQ(provider_->statuses().size(), 1u);
  EXPECT_EQ(provider_->statuses()[0].state, CommitState::kRunning);
  EXPECT_EQ(provider_->shown().back(), kSourceToken);
  EXPECT_TRUE(absl::StrContains(database_.Dump(), "mark commit\tbld_1"));
}

TEST_F(ProviderCallsTest, ARefusalAndALimitAreOutcomes) {
  const auto connection = MustCreateConnection();
  provider_->SetOutcome({StatusOutcome::Kind::kLimited, "wait", absl::Seconds(90)});
  auto response = Call("scheduler", &Stub::SetCommitStatus, StatusRequest(connection.id()));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outcome(), v1::SetCommitStatusResponse::OUTCOME_LIMITED);
  EXPECT_EQ(response->retry_after().seconds(), 90);
  provider_->SetOutcome({StatusOutcome::Kind::kRefused, "no"});
  response = Call("scheduler", &Stub::SetCommitStatus, StatusRequest(connection.id()));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->reason(), "no");
}

TEST_F(ProviderCallsTest, AWrongStatusIsRefusedByItsField) {
  const auto connection = MustCreateConnection();
  const auto refused = [&](auto change) {
    v1::SetCommitStatusRequest request = StatusRequest(connection.id());
    change(request);
    return Call("scheduler", &Stub::SetCommitStatus, request).status();
  };
  EXPECT_THAT(refused([](auto& request) { request.set_commit("abc"); }), Says("commit: must be 40 hexadecimal digits"));
  EXPECT_THAT(std::string(refused([](auto& request) { request.set_context(""); }).message()), StartsWith("context: "));
  EXPECT_THAT(std::string(refused([](auto& request) { request.set_target_url("javascript:x"); }).message()),
              StartsWith("target_url: "));
  EXPECT_THAT(std::string(refused([](auto& request) { request.clear_state(); }).message()), StartsWith("state: "));
  EXPECT_EQ(refused([](auto& request) { request.set_connection_id("con_gone"); }).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(provider_->statuses().empty());
}

TEST_F(ProviderCallsTest, RepositoriesAndOrganizationsAreListedInPages) {
  const auto connection = MustCreateConnection();
  v1::ListRepositoriesRequest request;
  request.set_connection_id(connection.id());
  request.set_query("app");
  auto page = Call("developer", &Stub::ListRepositories, request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->repositories(0).path(), "team/app1");
  EXPECT_TRUE(page->repositories(0).private_());
  request.set_page_token(page->next_page_token());
  page = Call("developer", &Stub::ListRepositories, request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->repositories(0).path(), "team/app2");
  EXPECT_EQ(page->next_page_token(), "");
  request.set_page_token("?");
  EXPECT_THAT(std::string(Call("developer", &Stub::ListRepositories, request).status().message()),
              StartsWith("page_token: "));
  v1::ListOrganizationsRequest organizations;
  organizations.set_connection_id(connection.id());
  EXPECT_EQ(Call("developer", &Stub::ListOrganizations, organizations)->organizations(0).display_name(), "The team");
}

TEST_F(ProviderCallsTest, ChangedPathsAreAskedForWithTheConnectionsToken) {
  const auto connection = MustCreateConnection();
  v1::ListChangedPathsRequest request;
  request.set_connection_id(connection.id());
  request.set_repository("team/app");
  request.set_before(std::string(40, 'a'));
  request.set_after(std::string(40, 'b'));
  const auto changed = Call("engine", &Stub::ListChangedPaths, request);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_THAT(changed->paths(), ElementsAre("team/app/a", "b"));
  EXPECT_EQ(changed->incomplete(), "cut");
  EXPECT_EQ(provider_->shown().back(), kSourceToken);
  request.set_after("main");
  EXPECT_THAT(Call("engine", &Stub::ListChangedPaths, request).status(), Says("after: must be 40 hexadecimal digits"));
}

TEST_F(ProviderCallsTest, AWebhookIsInstalledOnceAndRemoved) {
  const auto connection = MustCreateConnection();
  const auto first = Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id()));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->change(), v1::EnsureWebhookResponse::CHANGE_INSTALLED);
  EXPECT_EQ(first->url(), "https://hooks.example.com/hooks/" + first->webhook().id());
  EXPECT_EQ(first->webhook().provider_hook_id(), "1");
  const auto again = Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id()));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->change(), v1::EnsureWebhookResponse::CHANGE_NONE);
  EXPECT_EQ(again->webhook().id(), first->webhook().id());
  ASSERT_EQ(provider_->hook_secrets().size(), 2u);
  EXPECT_EQ(provider_->hook_secrets()[0], provider_->hook_secrets()[1]);
  v1::GetWebhookSecretRequest secret;
  secret.set_id(first->webhook().id());
  EXPECT_EQ(Call("gateway", &Stub::GetWebhookSecret, secret)->secret(), provider_->hook_secrets()[0]);

  v1::RemoveWebhookRequest remove;
  remove.set_id(first->webhook().id());
  ASSERT_TRUE(Call("admin", &Stub::RemoveWebhook, remove).ok());
  EXPECT_TRUE(provider_->hooks().empty());
  EXPECT_EQ(Call("admin", &Stub::RemoveWebhook, remove).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ProviderCallsTest, AnInstallationThatFailedIsCompletedByTheNext) {
  const auto connection = MustCreateConnection();
  provider_->Fail(absl::UnavailableError("away"));
  EXPECT_EQ(Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).status().code(),
            absl::StatusCode::kUnavailable);
  provider_->Fail(absl::OkStatus());
  ASSERT_TRUE(Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).ok());
  v1::ListWebhooksRequest list;
  EXPECT_EQ(Call("admin", &Stub::ListWebhooks, list)->webhooks_size(), 1);
}

TEST_F(ProviderCallsTest, AConnectionTakesItsHooksWithIt) {
  const auto connection = MustCreateConnection();
  ASSERT_TRUE(Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).ok());
  v1::EnsureWebhookRequest other = HookRequest(connection.id());
  other.set_repository("team/lib");
  ASSERT_TRUE(Call("admin", &Stub::EnsureWebhook, other).ok());
  ASSERT_EQ(provider_->hooks().size(), 2u);
  v1::DeleteConnectionRequest request;
  request.set_id(connection.id());
  provider_->Fail(absl::UnavailableError("away"));
  EXPECT_EQ(Call("admin", &Stub::DeleteConnection, request).status().code(), absl::StatusCode::kUnavailable);
  v1::ListWebhooksRequest list;
  EXPECT_EQ(Call("admin", &Stub::ListWebhooks, list)->webhooks_size(), 2) << "nothing is forgotten that is there";
  provider_->Fail(absl::OkStatus());
  const auto deleted = Call("admin", &Stub::DeleteConnection, request);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->left_webhooks_size(), 0);
  EXPECT_TRUE(provider_->hooks().empty());
  EXPECT_EQ(Call("admin", &Stub::DeleteConnection, request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ProviderCallsTest, AConnectionWithADeadTokenIsDeletedAndItsHooksAreNamed) {
  const auto connection = MustCreateConnection();
  ASSERT_TRUE(Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).ok());
  provider_->Fail(absl::FailedPreconditionError("credential rejected by github.com (401)"));
  v1::DeleteConnectionRequest request;
  request.set_id(connection.id());
  const auto deleted = Call("admin", &Stub::DeleteConnection, request);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  ASSERT_EQ(deleted->left_webhooks_size(), 1);
  EXPECT_EQ(deleted->left_webhooks(0).repository(), "team/app");
  EXPECT_EQ(deleted->left_webhooks(0).provider_hook_id(), "1");
  EXPECT_EQ(deleted->left_webhooks(0).reason(), "credential rejected by github.com (401)");
  v1::ListWebhooksRequest list;
  EXPECT_EQ(Call("admin", &Stub::ListWebhooks, list)->webhooks_size(), 0);
}

TEST_F(ProviderCallsTest, EveryOpeningOfASecretCanBeListed) {
  const auto connection = MustCreateConnection();
  ASSERT_TRUE(Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).ok());
  ASSERT_TRUE(Call("scheduler", &Stub::SetCommitStatus, StatusRequest(connection.id())).ok());
  v1::ListSecretAccessesRequest request;
  request.set_page_size(1);
  auto page = Call("admin", &Stub::ListSecretAccesses, request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->accesses_size(), 1);
  EXPECT_EQ(page->accesses(0).purpose(), "mark commit");
  EXPECT_EQ(page->accesses(0).record_id(), connection.id());
  EXPECT_EQ(page->accesses(0).field(), "token");
  EXPECT_EQ(page->accesses(0).build_id(), "bld_1");
  EXPECT_THAT(page->accesses(0).token_id(), StartsWith("tok_"));
  EXPECT_EQ(page->accesses(0).time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  request.set_page_token(page->next_page_token());
  page = Call("admin", &Stub::ListSecretAccesses, request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->accesses_size(), 1);
  EXPECT_EQ(page->accesses(0).purpose(), "install webhook");
  EXPECT_EQ(page->next_page_token(), "");
  v1::ListSecretAccessesRequest of_build;
  of_build.set_build_id("bld_1");
  EXPECT_EQ(Call("admin", &Stub::ListSecretAccesses, of_build)->accesses_size(), 1);
  v1::ListSecretAccessesRequest of_record;
  of_record.set_record_id("con_other");
  EXPECT_EQ(Call("admin", &Stub::ListSecretAccesses, of_record)->accesses_size(), 0);
  EXPECT_EQ(Call("stranger", &Stub::ListSecretAccesses, {})->accesses_size(), 0) << "another project's log";
  request.set_page_token("bm8");
  EXPECT_THAT(Call("admin", &Stub::ListSecretAccesses, request).status(), Says(StartsWith("page_token: ")));
}

TEST_F(ProviderCallsTest, WithoutTheGatewaysAddressNothingIsInstalled) {
  options_.webhook_public_url.clear();
  Restart();
  const auto connection = MustCreateConnection();
  const absl::Status status = Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--webhook_public_url"));
}

TEST_F(ProviderCallsTest, ATokenThatEndsSoonIsMarkedAndCounted) {
  provider_->SetFacts({"ann", {"repo"}, clock_.Now() + absl::Hours(48), {"read:org: listing organizations"}});
  const auto soon = MustCreateConnection("soon");
  EXPECT_EQ(soon.state(), v1::Connection::STATE_EXPIRING);
  EXPECT_THAT(soon.state_reason(), StartsWith("the token ends at "));
  EXPECT_THAT(soon.missing_scopes(), ElementsAre("read:org: listing organizations"));
  provider_->SetFacts({"ann", {"repo"}, clock_.Now() + absl::Hours(24 * 20), {}});
  const auto later = MustCreateConnection("later");
  EXPECT_EQ(later.state(), v1::Connection::STATE_ACTIVE);
  // The state follows the clock without anybody verifying the token.
  clock_.Advance(absl::Hours(24 * 10));
  Restart();
  v1::GetConnectionRequest get;
  const auto state_of = [&](const std::string& id) {
    get.set_id(id);
    return Call("admin", &Stub::GetConnection, get)->connection().state();
  };
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (!absl::StrContains(metrics_.ServeText(), "davit_token_registry_tokens_ended 1") && absl::Now() < patience) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_THAT(metrics_.ServeText(), HasSubstr("davit_token_registry_tokens_ending 1"));
  EXPECT_EQ(state_of(soon.id()), v1::Connection::STATE_INVALID);
  EXPECT_EQ(state_of(later.id()), v1::Connection::STATE_EXPIRING);
}

TEST_F(ProviderCallsTest, KeysAreRotatedInBatchesWhileSecretsStayReadable) {
  const auto connection = MustCreateConnection();
  MustCreateCredential();
  ASSERT_TRUE(Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).ok());
  // A new key in front of the old one.
  std::ifstream old_file(options_.key_file);
  const std::string old_keys((std::istreambuf_iterator<char>(old_file)), std::istreambuf_iterator<char>());
  const std::string new_keys = crypto::KeyRing::NewFileText("k2", random_).Reveal();
  std::ofstream(options_.key_file) << new_keys << old_keys;
  Restart();
  v1::RotateKeysRequest request;
  request.set_batch_size(2);
  auto rotation = Call("root", &Stub::RotateKeys, request);
  ASSERT_TRUE(rotation.ok()) << rotation.status();
  EXPECT_EQ(rotation->key_id(), "k2");
  EXPECT_EQ(rotation->rewrapped(), 2);
  EXPECT_EQ(rotation->remaining(), 1);
  EXPECT_TRUE(Call("admin", &Stub::EnsureWebhook, HookRequest(connection.id())).ok());
  rotation = Call("root", &Stub::RotateKeys, request);
  ASSERT_TRUE(rotation.ok()) << rotation.status();
  EXPECT_EQ(rotation->remaining(), 0);
  EXPECT_EQ(Call("root", &Stub::RotateKeys, request)->rewrapped(), 0);
  // The old key is not needed any more.
  std::ofstream(options_.key_file) << new_keys;
  Restart();
  EXPECT_TRUE(Call("scheduler", &Stub::SetCommitStatus, StatusRequest(connection.id())).ok());
  EXPECT_EQ(provider_->shown().back(), kSourceToken);
}

TEST_F(ProviderCallsTest, ARotationNeedsTheOldKey) {
  MustCreateConnection();
  std::ofstream(options_.key_file) << crypto::KeyRing::NewFileText("k2", random_).Reveal();
  Restart();
  const absl::Status status = Call("root", &Stub::RotateKeys, v1::RotateKeysRequest()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is wrapped by key k1"));
}

}  // namespace
}  // namespace davit::token_registry
