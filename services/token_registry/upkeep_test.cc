// Tests of what the token-registry does beside its calls: recording accesses, purging. Real PostgreSQL.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/postgres/testing/test_database.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/housekeeper.h"
#include "services/token_registry/migrations.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/queries.h"
#include "services/token_registry/secret_vault.h"
#include "services/token_registry/testing/fake_oauth_server.h"

namespace davit::token_registry {
namespace {

// A store that can be told not to record, and says when it was purged.
class WatchedStore : public PostgresStore {
 public:
  using PostgresStore::PostgresStore;

  absl::Status RecordSecretAccess(const SecretAccess& access) override {
    if (!recording.ok()) return recording;
    return PostgresStore::RecordSecretAccess(access);
  }

  absl::Status Purge(absl::Time expired_before, absl::Time accesses_before) override {
    const absl::Status status = PostgresStore::Purge(expired_before, accesses_before);
    if (!purged.HasBeenNotified()) purged.Notify();
    return status;
  }

  absl::Status recording;
  absl::Notification purged;
};

class UpkeepTest : public testing::Test {
 protected:
  UpkeepTest() { database_.Migrate("token_registry", migrations::kAll); }

  FakeClock clock_;
  metrics::Registry metrics_;
  FakeRandom random_;
  postgres::TestDatabase database_{"token_registry"};
  const std::unique_ptr<postgres::Pool> pool_ = database_.OpenPool("token_registry");
  WatchedStore store_{*pool_};
  SecretVault vault_{std::make_unique<crypto::RingKeyWrapper>(
                         *crypto::KeyRing::Parse(crypto::KeyRing::NewFileText("k1", random_)), random_),
                     store_, clock_, random_};
  const OAuthApps apps_;
  FakeOAuthServer oauth_;
  TokenKeeper tokens_{store_, vault_, oauth_, apps_, clock_, random_, Logger::Discarding(), TokenKeeper::Options()};
};

TEST_F(UpkeepTest, AnOpeningIsRecordedWithWhoWhatAndWhy) {
  const SecretPlace place{"default", "con_1", "token"};
  const auto sealed = vault_.Seal(place, crypto::SecretString("hush"));
  auth::Caller caller;
  caller.token_id = "tok_1";
  caller.request_id = "req_1";
  EXPECT_EQ(vault_.Open(place, *sealed, caller, "build", "bld_1")->Reveal(), "hush");
  EXPECT_TRUE(absl::StrContains(database_.Dump(), "default\ttok_1\treq_1\tcon_1\ttoken\tbuild\tbld_1"));
}

TEST_F(UpkeepTest, NothingIsOpenedThatCannotBeRecorded) {
  const SecretPlace place{"default", "con_1", "token"};
  const auto sealed = vault_.Seal(place, crypto::SecretString("hush"));
  store_.recording = absl::UnavailableError("away");
  EXPECT_EQ(vault_.Open(place, *sealed, auth::Caller(), "build").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(UpkeepTest, ASecretOpensInItsOwnPlaceOnly) {
  const auto sealed = vault_.Seal({"default", "con_1", "token"}, crypto::SecretString("hush"));
  for (const SecretPlace& place : {SecretPlace{"other", "con_1", "token"}, SecretPlace{"default", "con_2", "token"},
                                   SecretPlace{"default", "con_1", "password"}}) {
    const absl::Status status = vault_.Open(place, *sealed, auth::Caller(), "build").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_FALSE(absl::StrContains(status.message(), "hush"));
  }
}

TEST_F(UpkeepTest, TheHousekeeperPurgesEveryPeriodAndStopsAtOnce) {
  const auto anything = [](const BuildGrant*) { return absl::OkStatus(); };
  const absl::Time now = clock_.Now();
  ASSERT_TRUE(store_.PutBuildGrant({"bld_old", "default", 1, 0, {}, now - absl::Hours(25)}, anything).ok());
  ASSERT_TRUE(store_.PutBuildGrant({"bld_new", "default", 1, 0, {}, now - absl::Hours(23)}, anything).ok());
  {
    const Housekeeper housekeeper(store_, tokens_, clock_, Logger::Discarding(), metrics_, absl::Milliseconds(1));
    store_.purged.WaitForNotification();
  }
  EXPECT_EQ(store_.GetBuildGrant("*", "bld_old").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store_.GetBuildGrant("*", "bld_new").ok());
  const Housekeeper idle(store_, tokens_, clock_, Logger::Discarding(), metrics_, absl::Hours(1));
}

TEST_F(UpkeepTest, TheQueriesOfEveryCallUseAnIndex) {
  constexpr postgres::Statement kFill = {"fill", R"sql(
      insert into api_tokens (id, project, display_name, role, origin, token_hash, create_time)
      select 'tok_' || n, 'p' || n % 100, 'x', 'viewer', 'api', sha256(n::text::bytea), now()
      from generate_series(1, 20000) as n)sql"};
  constexpr postgres::Statement kFillGrants = {"fill_grants", R"sql(
      insert into build_grants (build_id, project, fence, expire_time)
      select 'bld_' || n, 'p' || n % 100, n, now() from generate_series(1, 20000) as n)sql"};
  const absl::Status filled =
      pool_->Transact(postgres::Scope::AllProjects(), [&](postgres::Transaction& transaction) -> absl::Status {
        DAVIT_RETURN_IF_ERROR(transaction.Execute(kFill).status());
        return transaction.Execute(kFillGrants).status();
      });
  ASSERT_TRUE(filled.ok()) << filled;
  const std::string find_token = absl::StrCat("explain ", queries::kFindApiToken.text);
  const std::string get_grant = absl::StrCat("explain ", queries::kGetBuildGrant.text);
  for (const std::string& text : {find_token, get_grant}) {
    const auto plan = pool_->Transact(
        postgres::Scope::AllProjects(), [&](postgres::Transaction& transaction) -> absl::StatusOr<std::string> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                                 transaction.Execute({text.c_str(), text.c_str()}, postgres::Bytes{"key"}));
          std::string lines;
          for (const pqxx::row& row : rows) absl::StrAppend(&lines, postgres::ReadText(row[0]), "\n");
          return lines;
        });
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_TRUE(absl::StrContains(*plan, "Index Scan")) << *plan;
    EXPECT_FALSE(absl::StrContains(*plan, "Seq Scan")) << *plan;
  }
}

}  // namespace
}  // namespace davit::token_registry
