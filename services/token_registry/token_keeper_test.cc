// Tests of token_keeper.h: refreshing before the end, alone, and across crashes. Real PostgreSQL, a server that
// replaces refresh tokens.
#include "services/token_registry/token_keeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/postgres/testing/test_database.h"
#include "services/token_registry/migrations.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/testing/fake_oauth_server.h"

namespace davit::token_registry {
namespace {

constexpr char kBaseUrl[] = "https://git.example.com";

// A store that can lose its database while a pair is stored.
class UnsteadyStore : public PostgresStore {
 public:
  using PostgresStore::PostgresStore;

  absl::Status StoreRefreshed(const Connection& connection, int64_t version, const ConnectionSecrets& secrets,
                              absl::Time expire_time, absl::Time now) override {
    if (failures-- > 0) return absl::UnavailableError("the database is away");
    return PostgresStore::StoreRefreshed(connection, version, secrets, expire_time, now);
  }

  std::atomic<int> failures = 0;
};

class TokenKeeperTest : public testing::Test {
 protected:
  TokenKeeperTest() {
    database_.Migrate("token_registry", migrations::kAll);
    connection_.id = "con_1";
    connection_.project = "default";
    connection_.display_name = "lab";
    connection_.provider = Provider::kGitLab;
    connection_.base_url = kBaseUrl;
    connection_.username = "oauth2";
    connection_.credential_kind = Connection::CredentialKind::kOAuth;
    connection_.create_time = connection_.update_time = clock_.Now();
    connection_.token_expire_time = clock_.Now() + absl::Hours(2);
    EXPECT_TRUE(store_.InsertConnection(connection_, *keeper_->SealTokens(connection_, server_.Current())).ok());
    connection_ = Read();
  }

  // A replica of its own.
  std::unique_ptr<TokenKeeper> NewKeeper() {
    return std::make_unique<TokenKeeper>(store_, vault_, server_, apps_, clock_, random_, Logger::Discarding(),
                                         TokenKeeper::Options());
  }

  Connection Read() { return *store_.GetConnection("default", "con_1"); }

  // The token as a call would get it; the error's message if there is none.
  std::string Open(TokenKeeper& keeper) {
    Connection connection = Read();
    const auto token = keeper.Open(auth::Caller(), connection, "list refs");
    return token.ok() ? token->Reveal() : std::string(token.status().message());
  }

  FakeClock clock_;
  FakeRandom random_;
  postgres::TestDatabase database_{"token_registry"};
  const std::unique_ptr<postgres::Pool> pool_ = database_.OpenPool("token_registry");
  UnsteadyStore store_{*pool_};
  SecretVault vault_{std::make_unique<crypto::RingKeyWrapper>(
                         *crypto::KeyRing::Parse(crypto::KeyRing::NewFileText("k1", random_)), random_),
                     store_, clock_, random_};
  FakeOAuthServer server_;
  const OAuthApps apps_ = *OAuthApps::Parse("gitlab https://git.example.com/ client -", [](const std::string&) {
    return absl::InternalError("a public client has no secret");
  });
  std::unique_ptr<TokenKeeper> keeper_ = NewKeeper();
  Connection connection_;
};

TEST_F(TokenKeeperTest, ATokenIsUsedAsItIsUntilItsEndIsNear) {
  EXPECT_TRUE(connection_.renews);
  clock_.Advance(absl::Minutes(114));
  EXPECT_EQ(Open(*keeper_), "access-1");
  EXPECT_EQ(server_.asked(), 0);
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(Open(*keeper_), "access-2");
  EXPECT_EQ(Open(*keeper_), "access-2");
  EXPECT_EQ(server_.asked(), 1);
  EXPECT_EQ(Read().token_expire_time, clock_.Now() + absl::Hours(2));
  EXPECT_GT(Read().update_time, connection_.update_time);
  EXPECT_TRUE(absl::StrContains(database_.Dump(), "refresh_token\trefresh")) << "the opening is in the audit log";
}

TEST_F(TokenKeeperTest, WhatNobodyUsesIsRefreshedAhead) {
  keeper_->RefreshAhead();
  EXPECT_EQ(server_.asked(), 0);
  clock_.Advance(absl::Minutes(106));
  keeper_->RefreshAhead();
  EXPECT_EQ(server_.asked(), 1);
  EXPECT_EQ(Open(*keeper_), "access-2");
}

TEST_F(TokenKeeperTest, ReplicasAndThreadsRefreshOnce) {
  for (int round = 1; round <= 5; ++round) {
    clock_.Advance(absl::Hours(3));
    const std::unique_ptr<TokenKeeper> other = NewKeeper();
    std::vector<std::string> tokens(8);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < tokens.size(); ++i) {
      threads.emplace_back([&, i] { tokens[i] = Open(i % 2 == 0 ? *keeper_ : *other); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& token : tokens) EXPECT_EQ(token, absl::StrCat("access-", round + 1));
    EXPECT_EQ(server_.asked(), round);
  }
  EXPECT_EQ(Read().state, Connection::State::kActive);
}

TEST_F(TokenKeeperTest, AClaimEndsWithItsHolder) {
  // Another replica dies before it asks the provider.
  ASSERT_TRUE(*store_.ClaimRefresh("default", "con_1", 1, "clm_dead", absl::Milliseconds(50)));
  EXPECT_FALSE(*store_.ClaimRefresh("default", "con_1", 1, "clm_late", absl::Seconds(60)));
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(Open(*keeper_), "access-2");
}

TEST_F(TokenKeeperTest, APairThatDiedWithItsHolderMakesTheConnectionInvalid) {
  // Another replica dies between the provider's answer and the store.
  ASSERT_TRUE(*store_.ClaimRefresh("default", "con_1", 1, "clm_dead", absl::Milliseconds(1)));
  ASSERT_TRUE(server_.Refresh(OAuthApp(), crypto::SecretString("refresh-1")).ok());
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(Open(*keeper_), "git.example.com refused: invalid_grant; authorize the connection anew");
  EXPECT_EQ(Read().state, Connection::State::kInvalid);
  EXPECT_EQ(Read().state_reason, "git.example.com refused: invalid_grant; authorize the connection anew");
  EXPECT_FALSE(Read().renews);
  const int asked = server_.asked();
  keeper_->RefreshAhead();
  EXPECT_EQ(server_.asked(), asked) << "asking again is of no use";
}

TEST_F(TokenKeeperTest, OnlyWhoHoldsTheClaimMayCallTheGrantEnded) {
  ASSERT_TRUE(*store_.ClaimRefresh("default", "con_1", 1, "clm_1", absl::Seconds(60)));
  EXPECT_EQ(store_.RefuseRefresh("default", "con_1", 1, "clm_2", GrantEnd::kEnded, "x", clock_.Now()).code(),
            absl::StatusCode::kAborted);
  EXPECT_EQ(Read().state, Connection::State::kActive);
}

TEST_F(TokenKeeperTest, APairIsNotLostWhileTheDatabaseIsAway) {
  clock_.Advance(absl::Hours(3));
  store_.failures = 3;
  EXPECT_EQ(Open(*keeper_), "access-2");
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(Open(*keeper_), "access-3") << "the new refresh token was stored, too";
}

TEST_F(TokenKeeperTest, AServerThatIsAwayChangesNothing) {
  server_.Fail(absl::UnavailableError("git.example.com answered 503; try again later"));
  clock_.Advance(absl::Minutes(117));
  EXPECT_EQ(Open(*keeper_), "access-1") << "it still works";
  clock_.Advance(absl::Minutes(4));
  EXPECT_EQ(Open(*keeper_), "git.example.com answered 503; try again later");
  EXPECT_EQ(Read().state, Connection::State::kActive);
  server_.Fail(absl::OkStatus());
  EXPECT_EQ(Open(*keeper_), "access-2") << "the claim was given back";
}

TEST_F(TokenKeeperTest, ARefusalOfTheApplicationIsTriedAgain) {
  server_.Fail(absl::FailedPreconditionError("git.example.com refused: invalid_client"));
  clock_.Advance(absl::Hours(3));
  keeper_->RefreshAhead();
  EXPECT_EQ(Read().state, Connection::State::kInvalid);
  EXPECT_EQ(Read().state_reason, "git.example.com refused: invalid_client");
  server_.Fail(absl::OkStatus());
  keeper_->RefreshAhead();
  EXPECT_EQ(Read().state, Connection::State::kActive);
  EXPECT_EQ(Read().state_reason, "");
  EXPECT_EQ(Open(*keeper_), "access-2");
}

TEST_F(TokenKeeperTest, ANewerAuthorizationIsNotOverwritten) {
  clock_.Advance(absl::Hours(3));
  server_.BeforeRefresh([this] {
    // A person authorizes anew while the old refresh token is on its way.
    Connection connection = Read();
    const absl::Time seen = connection.update_time;
    connection.update_time = seen + absl::Seconds(1);
    connection.token_expire_time = clock_.Now() + absl::Hours(2);
    const OAuthTokens newer{crypto::SecretString("access-new"), crypto::SecretString("refresh-new"), absl::Hours(2)};
    const ConnectionSecrets secrets = *keeper_->SealTokens(connection, newer);
    EXPECT_TRUE(store_.UpdateConnection(connection, seen, &secrets).ok());
  });
  EXPECT_EQ(Open(*keeper_), "access-new");
}

TEST_F(TokenKeeperTest, WithoutItsApplicationATokenIsNotRefreshed) {
  const OAuthApps none;
  TokenKeeper keeper(store_, vault_, server_, none, clock_, random_, Logger::Discarding(), TokenKeeper::Options());
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(Open(keeper),
            "the token cannot be refreshed: no OAuth application is configured for https://git.example.com any more");
  EXPECT_EQ(Open(*keeper_), "access-2");
}

}  // namespace
}  // namespace davit::token_registry
