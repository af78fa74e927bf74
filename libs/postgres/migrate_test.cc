// Tests of migrate.h on a real PostgreSQL.
#include "libs/postgres/migrate.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "libs/postgres/testing/test_database.h"

namespace davit::postgres {
namespace {

constexpr Statement kFirst = {"0001_create_a", "create table a (id int); insert into a values (1);"};
constexpr Statement kSecond = {"0002_create_b", "create table b (id int)"};

class MigrateTest : public testing::Test {
 protected:
  int Integer(const char* sql) {
    pqxx::connection connection(database_.admin_conninfo());
    pqxx::work work(connection);
    return work.exec1(sql)[0].as<int>();
  }

  TestDatabase database_{"svc"};
  const std::string owner_ = database_.owner_conninfo("svc");
};

TEST_F(MigrateTest, AppliesEachMigrationOnceInOrder) {
  ASSERT_TRUE(Migrate(owner_, "svc", {kFirst}).ok());
  ASSERT_TRUE(Migrate(owner_, "svc", {kSecond, kFirst}).ok());
  ASSERT_TRUE(Migrate(owner_, "svc", {kFirst, kSecond}).ok());
  EXPECT_EQ(Integer("select count(*) from svc.a"), 1);
  EXPECT_EQ(Integer("select count(*) from svc.b"), 0);
  EXPECT_EQ(Integer("select count(*) from svc.schema_migrations"), 2);
}

TEST_F(MigrateTest, RefusesAnAppliedMigrationWhoseTextChanged) {
  ASSERT_TRUE(Migrate(owner_, "svc", {kFirst}).ok());
  const absl::Status status = Migrate(owner_, "svc", {{"0001_create_a", "create table a (id bigint)"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "0001_create_a")) << status;
}

TEST_F(MigrateTest, LeavesNothingOfAMigrationThatFails) {
  const absl::Status status =
      Migrate(owner_, "svc", {kFirst, {"0002_bad", "create table b (id int); select nonsense"}});
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "0002_bad")) << status;
  EXPECT_EQ(Integer("select count(*) from svc.schema_migrations"), 1);
  EXPECT_EQ(Integer("select count(*) from pg_tables where schemaname = 'svc' and tablename = 'b'"), 0);
  EXPECT_TRUE(Migrate(owner_, "svc", {kFirst, kSecond}).ok());
}

TEST_F(MigrateTest, TheApplicationLearnsWhatIsMissing) {
  const std::string app = database_.app_conninfo("svc");
  const absl::Status none = CheckMigrated(app, "svc", {kFirst});
  EXPECT_EQ(none.code(), absl::StatusCode::kFailedPrecondition) << none;
  EXPECT_TRUE(absl::StrContains(none.message(), "0001_create_a")) << none;
  ASSERT_TRUE(Migrate(owner_, "svc", {kFirst}).ok());
  EXPECT_TRUE(CheckMigrated(app, "svc", {kFirst}).ok());
  const absl::Status second = MigrateOrCheck("", app, "svc", {kFirst, kSecond});
  EXPECT_TRUE(absl::StrContains(second.message(), "0002_create_b")) << second;
  EXPECT_TRUE(MigrateOrCheck(owner_, app, "svc", {kFirst, kSecond}).ok());
  EXPECT_TRUE(MigrateOrCheck("", app, "svc", {kFirst, kSecond}).ok());
}

TEST_F(MigrateTest, AcceptsADatabaseThatIsNewer) {
  ASSERT_TRUE(Migrate(owner_, "svc", {kFirst, kSecond}).ok());
  EXPECT_TRUE(Migrate(owner_, "svc", {kFirst}).ok());
}

TEST_F(MigrateTest, RefusesNamesWithoutNumbersAndNumbersUsedTwice) {
  EXPECT_EQ(Migrate(owner_, "svc", {{"create_a", "select 1"}}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Migrate(owner_, "svc", {kFirst, {"0001_other", "select 1"}}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(MigrateTest, LetsProcessesThatStartTogetherTakeTurns) {
  std::vector<absl::Status> results(4);
  std::vector<std::thread> threads;
  for (absl::Status& result : results) {
    threads.emplace_back([this, &result] { result = Migrate(owner_, "svc", {kFirst, kSecond}); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << result;
  EXPECT_EQ(Integer("select count(*) from svc.a"), 1);
}

}  // namespace
}  // namespace davit::postgres
