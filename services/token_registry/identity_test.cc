// Tests of API tokens below the API: finding, remembering and forgetting them, bootstrap files. Real PostgreSQL.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/postgres/testing/test_database.h"
#include "services/token_registry/bootstrap_tokens.h"
#include "services/token_registry/migrations.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/store_authenticator.h"

namespace davit::token_registry {
namespace {

const std::string kToken = "dvt_" + std::string(43, 'a');

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() { database_.Migrate("token_registry", migrations::kAll); }

  absl::Status Load(const std::string& text) {
    return LoadBootstrapTokens(crypto::SecretString(text), store_, clock_, random_);
  }

  FakeClock clock_;
  FakeRandom random_;
  postgres::TestDatabase database_{"token_registry"};
  const std::unique_ptr<postgres::Pool> pool_ = database_.OpenPool("token_registry");
  PostgresStore store_{*pool_};
  ApiTokenDirectory tokens_{store_, clock_, random_};
  StoreAuthenticator authenticator_{tokens_, clock_, StoreAuthenticator::Options()};
};

TEST_F(IdentityTest, ABootstrapTokenAuthenticates) {
  ASSERT_TRUE(Load("# first\n\nadmin * " + kToken + "\r\n").ok());
  const auto caller = authenticator_.Authenticate(kToken);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->project, "*");
  EXPECT_EQ(caller->role, auth::Role::kAdmin);
  EXPECT_EQ(caller->name, "bootstrap admin");
}

TEST_F(IdentityTest, ABadBootstrapLineIsNamedButNotQuoted) {
  for (const std::string& line : {std::string("admin *"), "boss * " + kToken, "admin No! " + kToken,
                                  std::string("admin * dvt_hush"), "admin * hush" + kToken}) {
    const absl::Status status = Load("\n" + line);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << line;
    EXPECT_TRUE(absl::StartsWith(status.message(), "line 2")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "hush")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), kToken)) << status;
  }
}

TEST_F(IdentityTest, ATokenThatLeavesTheFileEnds) {
  ASSERT_TRUE(Load("admin * " + kToken).ok());
  ASSERT_TRUE(Load("").ok());
  EXPECT_EQ(authenticator_.Authenticate(kToken).status(), auth::InvalidTokenError());
}

TEST_F(IdentityTest, ATokenThatWasRevokedStaysSo) {
  ASSERT_TRUE(Load("admin * " + kToken).ok());
  ASSERT_TRUE(tokens_.Revoke("*", authenticator_.Authenticate(kToken)->token_id).ok());
  ASSERT_TRUE(Load("admin * " + kToken).ok());
  EXPECT_EQ(tokens_.Find(kToken).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(IdentityTest, TextsThatAreNoTokensDoNotReachTheStore) {
  for (const std::string& text : {std::string(), std::string("dvt_short"), "xyz_" + std::string(43, 'a'),
                                  "dvt_" + std::string(129, 'a'), "dvt_" + std::string(42, 'a') + "!"}) {
    EXPECT_FALSE(HasTokenForm(text)) << text;
    EXPECT_EQ(authenticator_.Authenticate(text).status(), auth::InvalidTokenError()) << text;
  }
}

TEST_F(IdentityTest, ARevocationElsewhereIsNoticedAfterTenSecondsAndHereAtOnce) {
  ASSERT_TRUE(Load("admin * " + kToken).ok());
  const std::string id = authenticator_.Authenticate(kToken)->token_id;
  ASSERT_TRUE(store_.RevokeApiToken("*", id, clock_.Now()).ok());
  clock_.Advance(absl::Seconds(9));
  EXPECT_TRUE(authenticator_.Authenticate(kToken).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(authenticator_.Authenticate(kToken).ok());

  const std::string other = "dvt_" + std::string(43, 'b');
  ASSERT_TRUE(Load("admin * " + other).ok());
  const std::string other_id = authenticator_.Authenticate(other)->token_id;
  ASSERT_TRUE(store_.RevokeApiToken("*", other_id, clock_.Now()).ok());
  authenticator_.Forget(other_id);
  EXPECT_FALSE(authenticator_.Authenticate(other).ok());
}

}  // namespace
}  // namespace davit::token_registry
