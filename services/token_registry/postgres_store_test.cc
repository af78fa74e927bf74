// Tests of PostgresStore on a real PostgreSQL.
#include "services/token_registry/postgres_store.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "libs/crypto/hash.h"
#include "libs/postgres/testing/test_database.h"
#include "libs/postgres/transaction.h"
#include "services/token_registry/migrations.h"

namespace davit::token_registry {
namespace {

const absl::Time kNow = absl::FromUnixMicros(1790000000123456);

class PostgresStoreTest : public testing::Test {
 protected:
  PostgresStoreTest() { database_.Migrate("token_registry", migrations::kAll); }

  Connection MakeConnection(const std::string& id, const std::string& name, const std::string& project = "default") {
    Connection connection;
    connection.id = id;
    connection.project = project;
    connection.display_name = name;
    connection.provider = Provider::kGitLab;
    connection.base_url = "https://gitlab.com";
    connection.username = "oauth2";
    connection.account = "ann";
    connection.scopes = {"api", "read_repository"};
    connection.verify_time = kNow;
    connection.create_time = connection.update_time = kNow;
    return connection;
  }

  ApiToken MakeToken(const std::string& id, const std::string& project = "default") {
    ApiToken token;
    token.id = id;
    token.project = project;
    token.display_name = "ci";
    token.role = auth::Role::kDeveloper;
    token.create_time = kNow;
    return token;
  }

  const crypto::SealedSecret sealed_{"k1", std::string("\x01wrapped\0", 9), "nonce", "ciphertext"};
  const ConnectionSecrets secrets_{sealed_};
  postgres::TestDatabase database_{"token_registry"};
  const std::unique_ptr<postgres::Pool> pool_ = database_.OpenPool("token_registry");
  PostgresStore store_{*pool_};
};

TEST_F(PostgresStoreTest, KeepsAConnectionAndItsSealedToken) {
  ASSERT_TRUE(store_.InsertConnection(MakeConnection("con_1", "one"), secrets_).ok());
  const auto connection = store_.GetConnection("default", "con_1");
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(connection->display_name, "one");
  EXPECT_EQ(connection->provider, Provider::kGitLab);
  EXPECT_EQ(connection->state, Connection::State::kActive);
  EXPECT_EQ(connection->scopes, (std::vector<std::string>{"api", "read_repository"}));
  EXPECT_EQ(connection->verify_time, kNow);
  EXPECT_EQ(connection->token_expire_time, absl::InfiniteFuture());
  EXPECT_EQ(connection->update_time, kNow);
  const auto sealed = store_.GetConnectionToken("default", "con_1");
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  EXPECT_EQ(sealed->key_id, sealed_.key_id);
  EXPECT_EQ(sealed->wrapped_key, sealed_.wrapped_key);
  EXPECT_EQ(sealed->ciphertext, sealed_.ciphertext);
}

TEST_F(PostgresStoreTest, ShowsAProjectOnlyItsOwn) {
  ASSERT_TRUE(store_.InsertConnection(MakeConnection("con_1", "one"), secrets_).ok());
  EXPECT_EQ(store_.GetConnection("other", "con_1").status(), absl::NotFoundError("connection not found: con_1"));
  EXPECT_EQ(store_.GetConnectionToken("other", "con_1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_.DeleteConnection("other", "con_1").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store_.ListConnections("other", {})->empty());
  EXPECT_EQ(store_.InsertConnection(MakeConnection("con_1", "one", "other"), secrets_).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(PostgresStoreTest, RefusesANameTwiceInAProject) {
  ASSERT_TRUE(store_.InsertConnection(MakeConnection("con_1", "one"), secrets_).ok());
  const absl::Status status = store_.InsertConnection(MakeConnection("con_2", "one"), secrets_);
  EXPECT_EQ(status, absl::AlreadyExistsError("display_name: \"one\" is taken; choose another"));
  EXPECT_TRUE(store_.InsertConnection(MakeConnection("con_3", "one", "other"), secrets_).ok());
}

TEST_F(PostgresStoreTest, ListsByNameInPages) {
  for (const char* name : {"c", "a", "b"}) {
    ASSERT_TRUE(store_.InsertConnection(MakeConnection(std::string("con_") + name, name), secrets_).ok());
  }
  const auto first = store_.ListConnections("default", {.after = "", .size = 2});
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[0].display_name, "a");
  const auto second = store_.ListConnections("default", {.after = (*first)[1].display_name, .size = 2});
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ((*second)[0].display_name, "c");
}

TEST_F(PostgresStoreTest, UpdatesAConnectionUnlessItChangedMeanwhile) {
  Connection connection = MakeConnection("con_1", "one");
  ASSERT_TRUE(store_.InsertConnection(connection, secrets_).ok());
  connection.display_name = "renamed";
  connection.state = Connection::State::kInvalid;
  connection.update_time = kNow + absl::Seconds(1);
  const ConnectionSecrets other{{"k2", "w", "n", "c"}};
  ASSERT_TRUE(store_.UpdateConnection(connection, kNow, &other).ok());
  EXPECT_EQ(store_.GetConnection("default", "con_1")->display_name, "renamed");
  EXPECT_EQ(store_.GetConnection("default", "con_1")->state, Connection::State::kInvalid);
  EXPECT_EQ(store_.GetConnectionToken("default", "con_1")->key_id, "k2");
  EXPECT_EQ(store_.UpdateConnection(connection, kNow, &secrets_).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store_.GetConnectionToken("default", "con_1")->key_id, "k2");
}

TEST_F(PostgresStoreTest, DeletesTheWebhooksOfAConnectionWithIt) {
  ASSERT_TRUE(store_.InsertConnection(MakeConnection("con_1", "one"), secrets_).ok());
  Webhook webhook{"whk_1", "default", "con_1", "owner/name", Provider::kGitLab, kNow};
  ASSERT_TRUE(store_.InsertWebhook(webhook, sealed_).ok());
  const auto found = store_.FindWebhook("*", "whk_1");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->first.provider, Provider::kGitLab);
  EXPECT_EQ(found->first.repository, "owner/name");
  EXPECT_EQ(found->second.wrapped_key, sealed_.wrapped_key);
  EXPECT_EQ(store_.FindWebhook("other", "whk_1").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store_.DeleteConnection("default", "con_1").ok());
  EXPECT_EQ(store_.FindWebhook("*", "whk_1").status(), absl::NotFoundError("webhook not found: whk_1"));
}

TEST_F(PostgresStoreTest, RefusesAWebhookOfAnotherProjectsConnection) {
  ASSERT_TRUE(store_.InsertConnection(MakeConnection("con_1", "one"), secrets_).ok());
  const absl::Status status = store_.InsertWebhook({"whk_1", "other", "con_1", "", Provider::kGitLab, kNow}, sealed_);
  EXPECT_EQ(status, absl::NotFoundError("connection not found: con_1"));
}

TEST_F(PostgresStoreTest, ListsWebhooksNewestFirst) {
  ASSERT_TRUE(store_.InsertConnection(MakeConnection("con_1", "one"), secrets_).ok());
  ASSERT_TRUE(store_.InsertConnection(MakeConnection("con_2", "two"), secrets_).ok());
  for (const auto& [id, connection] :
       {std::pair("whk_1", "con_1"), std::pair("whk_2", "con_2"), std::pair("whk_3", "con_1")}) {
    ASSERT_TRUE(store_.InsertWebhook({id, "default", connection, "", Provider::kGitLab, kNow}, sealed_).ok());
  }
  EXPECT_EQ(store_.ListWebhooks("default", "", {})->at(0).id, "whk_3");
  EXPECT_EQ(store_.ListWebhooks("default", "", {.after = "whk_3", .size = 1})->at(0).id, "whk_2");
  EXPECT_EQ(store_.ListWebhooks("default", "con_1", {})->size(), 2u);
  EXPECT_TRUE(store_.DeleteWebhook("default", "whk_1").ok());
  EXPECT_EQ(store_.DeleteWebhook("default", "whk_1").code(), absl::StatusCode::kNotFound);
}

TEST_F(PostgresStoreTest, KeepsRegistryCredentials) {
  const RegistryCredential credential{"rcr_1", "default", "hub", "ghcr.io", "ann", kNow, kNow};
  ASSERT_TRUE(store_.InsertRegistryCredential(credential, sealed_).ok());
  EXPECT_EQ(store_.InsertRegistryCredential({"rcr_2", "default", "hub", "x", "", kNow, kNow}, sealed_).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store_.GetRegistryCredential("default", "rcr_1")->registry, "ghcr.io");
  EXPECT_EQ(store_.GetRegistryPassword("default", "rcr_1")->nonce, "nonce");
  EXPECT_EQ(store_.ListRegistryCredentials("default", {})->size(), 1u);
  EXPECT_EQ(store_.GetRegistryCredential("other", "rcr_1").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store_.DeleteRegistryCredential("default", "rcr_1").ok());
  EXPECT_EQ(store_.DeleteRegistryCredential("default", "rcr_1").code(), absl::StatusCode::kNotFound);
}

TEST_F(PostgresStoreTest, FindsATokenByItsHashAndNotesItsUseEveryTenMinutes) {
  const std::string hash = crypto::Sha256("dvt_x");
  ASSERT_TRUE(store_.InsertApiToken(MakeToken("tok_1"), hash).ok());
  EXPECT_EQ(store_.UseApiToken(crypto::Sha256("dvt_y"), kNow).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store_.UseApiToken(hash, kNow).ok());
  ASSERT_TRUE(store_.UseApiToken(hash, kNow + absl::Minutes(9)).ok());
  EXPECT_EQ(store_.GetApiToken("default", "tok_1")->last_use_time, kNow);
  ASSERT_TRUE(store_.UseApiToken(hash, kNow + absl::Minutes(11)).ok());
  EXPECT_EQ(store_.GetApiToken("default", "tok_1")->last_use_time, kNow + absl::Minutes(11));
}

TEST_F(PostgresStoreTest, RevokesATokenOnce) {
  ASSERT_TRUE(store_.InsertApiToken(MakeToken("tok_1"), crypto::Sha256("x")).ok());
  EXPECT_EQ(store_.RevokeApiToken("other", "tok_1", kNow).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_.RevokeApiToken("default", "tok_1", kNow)->revoke_time, kNow);
  EXPECT_EQ(store_.RevokeApiToken("default", "tok_1", kNow + absl::Hours(1))->revoke_time, kNow);
  EXPECT_FALSE(store_.UseApiToken(crypto::Sha256("x"), kNow)->IsActive(kNow));
}

TEST_F(PostgresStoreTest, KeepsTokensOfAllProjectsFromProjects) {
  ASSERT_TRUE(store_.InsertApiToken(MakeToken("tok_1", "*"), crypto::Sha256("x")).ok());
  EXPECT_TRUE(store_.ListApiTokens("default", {})->empty());
  EXPECT_EQ(store_.ListApiTokens("*", {})->size(), 1u);
  EXPECT_EQ(store_.GetApiToken("default", "tok_1").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PostgresStoreTest, ReplacesTheBootstrapTokensAndNoOthers) {
  ASSERT_TRUE(store_.InsertApiToken(MakeToken("tok_api"), crypto::Sha256("api")).ok());
  ASSERT_TRUE(store_
                  .ReplaceBootstrapTokens({{MakeToken("tok_1", "*"), crypto::Sha256("one")},
                                           {MakeToken("tok_2", "*"), crypto::Sha256("two")}},
                                          kNow)
                  .ok());
  ASSERT_TRUE(store_.ReplaceBootstrapTokens({{MakeToken("tok_3", "*"), crypto::Sha256("two")}}, kNow).ok());
  EXPECT_FALSE(store_.UseApiToken(crypto::Sha256("one"), kNow)->IsActive(kNow));
  EXPECT_TRUE(store_.UseApiToken(crypto::Sha256("two"), kNow)->IsActive(kNow));
  EXPECT_EQ(store_.UseApiToken(crypto::Sha256("two"), kNow)->id, "tok_2");
  EXPECT_TRUE(store_.UseApiToken(crypto::Sha256("api"), kNow)->IsActive(kNow));
  ASSERT_TRUE(store_.ReplaceBootstrapTokens({}, kNow).ok());
  EXPECT_FALSE(store_.UseApiToken(crypto::Sha256("two"), kNow)->IsActive(kNow));
  EXPECT_TRUE(store_.UseApiToken(crypto::Sha256("api"), kNow)->IsActive(kNow));
}

TEST_F(PostgresStoreTest, KeepsTheLargestFenceOfABuild) {
  BuildGrant grant{"bld_1", "default", 7, 0, {"con_1", "o/n", "rcr_1", "ghcr.io/o/n", {"npm"}}, kNow + absl::Hours(1)};
  const auto anything = [](const BuildGrant*) { return absl::OkStatus(); };
  ASSERT_TRUE(store_.PutBuildGrant(grant, anything).ok());
  grant.fence = 6;
  ASSERT_TRUE(store_.PutBuildGrant(grant, anything).ok());
  EXPECT_EQ(store_.GetBuildGrant("*", "bld_1")->fence, 7);
  EXPECT_EQ(store_.GetBuildGrant("default", "bld_1")->scope, grant.scope);
  EXPECT_EQ(store_.GetBuildGrant("other", "bld_1").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store_.RevokeBuildGrant("default", "bld_1", 7, kNow).ok());
  ASSERT_TRUE(store_.RevokeBuildGrant("default", "bld_1", 5, kNow).ok());
  EXPECT_EQ(store_.GetBuildGrant("*", "bld_1")->revoked_fence, 7);
}

TEST_F(PostgresStoreTest, RecordsAccessesThatCannotBeChanged) {
  ASSERT_TRUE(store_.RecordSecretAccess({kNow, "default", "tok_1", "req_1", "con_1", "token", "build", "bld_1"}).ok());
  constexpr postgres::Statement kForge = {"forge", "update secret_accesses set token_id = 'tok_2'"};
  EXPECT_TRUE(pool_
                  ->Transact(postgres::Scope::AllProjects(),
                             [&](postgres::Transaction& transaction) { return transaction.Execute(kForge).status(); })
                  .ok());
  EXPECT_TRUE(store_.Purge(kNow, absl::InfiniteFuture()).ok());
  const std::string dump = database_.Dump();
  EXPECT_TRUE(absl::StrContains(dump, "tok_1\treq_1\tcon_1\ttoken\tbuild\tbld_1")) << dump;
  EXPECT_FALSE(absl::StrContains(dump, "tok_2"));
}

TEST_F(PostgresStoreTest, PurgesWhatIsOld) {
  const auto anything = [](const BuildGrant*) { return absl::OkStatus(); };
  ASSERT_TRUE(store_.PutBuildGrant({"bld_1", "default", 1, 0, {}, kNow}, anything).ok());
  ASSERT_TRUE(store_.PutBuildGrant({"bld_2", "default", 1, 0, {}, kNow + absl::Hours(1)}, anything).ok());
  const absl::Time long_ago = absl::FromUnixSeconds(1000000000);
  ASSERT_TRUE(store_.RecordSecretAccess({long_ago, "default", "tok_old", "", "con_1", "token", "build", ""}).ok());
  ASSERT_TRUE(store_.Purge(kNow + absl::Seconds(1), long_ago + absl::Seconds(1)).ok());
  EXPECT_EQ(store_.GetBuildGrant("*", "bld_1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store_.GetBuildGrant("*", "bld_2").ok());
  EXPECT_FALSE(absl::StrContains(database_.Dump(), "tok_old"));
}

}  // namespace
}  // namespace davit::token_registry
