// Tests of pool.h and transaction.h on a real PostgreSQL.
#include "libs/postgres/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/postgres/error.h"
#include "libs/postgres/testing/test_database.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"

namespace davit::postgres {
namespace {

constexpr Statement kMigrations[] = {{"0001_create_notes", R"sql(
create table notes (id text primary key, project text not null, body text, data bytea, at timestamptz,
                    size int check (size < 100));
alter table notes enable row level security;
alter table notes force row level security;
create policy by_project on notes using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
)sql"}};
constexpr Statement kInsert = {"insert_note",
                               "insert into notes (id, project, body, data, at, size) values ($1, $2, $3, $4, $5, $6)"};
constexpr Statement kCount = {"count_notes", "select count(*) from notes"};
constexpr Statement kGet = {"get_note", "select * from notes where id = $1"};
constexpr Statement kUnnest = {"unnest_notes", "insert into notes (id, project) select unnest($1::text[]), 'p'"};
constexpr Statement kBackend = {"backend", "select pg_backend_pid()"};
constexpr Statement kSleep = {"sleep", "select pg_sleep(5)"};
constexpr Statement kKillSelf = {"kill_self", "select pg_terminate_backend(pg_backend_pid())"};
constexpr Statement kBump = {"bump", "update notes set size = size + 1 where id = $1"};

class PoolTest : public testing::Test {
 protected:
  PoolTest() : database_("notes") { database_.Migrate("notes", kMigrations); }

  absl::Status Insert(Pool& pool, const Scope& scope, const std::string& id, const std::string& project, int size = 1) {
    return pool.Transact(scope, [&](Transaction& transaction) {
      return transaction.Execute(kInsert, id, project, std::nullopt, std::nullopt, std::nullopt, size).status();
    });
  }

  absl::StatusOr<int> Count(Pool& pool, const Scope& scope) {
    return pool.Transact(scope, [](Transaction& transaction) -> absl::StatusOr<int> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(kCount));
      return rows[0][0].as<int>();
    });
  }

  TestDatabase database_;
};

TEST_F(PoolTest, CommitsWhatSucceedsAndUndoesWhatFails) {
  const auto pool = database_.OpenPool("notes");
  EXPECT_TRUE(Insert(*pool, Scope::Project("p"), "a", "p").ok());
  const absl::Status failed = pool->Transact(Scope::Project("p"), [&](Transaction& transaction) -> absl::Status {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(kInsert, "b", "p", std::nullopt, std::nullopt, std::nullopt, 1).status());
    return absl::CancelledError("changed my mind");
  });
  EXPECT_EQ(failed, absl::CancelledError("changed my mind"));
  EXPECT_EQ(*Count(*pool, Scope::AllProjects()), 1);
}

TEST_F(PoolTest, BringsEveryTypeThereAndBack) {
  const auto pool = database_.OpenPool("notes");
  const absl::Time at = absl::FromUnixMicros(1790000000123456);
  const std::string bytes("\0\x01\xff\\x", 5);
  const absl::Status status = pool->Transact(Scope::Project("p"), [&](Transaction& transaction) -> absl::Status {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(kInsert, "a", "p", "grüß \"'\\", Bytes{bytes}, at, 7).status());
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(kGet, "a"));
    EXPECT_EQ(ReadText(rows[0]["body"]), "grüß \"'\\");
    EXPECT_EQ(ReadBytes(rows[0]["data"]), bytes);
    EXPECT_EQ(ReadTime(rows[0]["at"]), at);
    EXPECT_EQ(rows[0]["size"].as<int>(), 7);
    DAVIT_RETURN_IF_ERROR(
        transaction.Execute(kInsert, "b", "p", std::nullopt, std::nullopt, absl::InfiniteFuture(), 7).status());
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result more, transaction.Execute(kGet, "b"));
    EXPECT_FALSE(ReadOptionalText(more[0]["body"]).has_value());
    EXPECT_EQ(ReadTime(more[0]["at"]), absl::InfiniteFuture());
    EXPECT_EQ(ReadTime(more[0]["data"], absl::UnixEpoch()), absl::UnixEpoch());
    return transaction.Execute(kUnnest, std::vector<std::string>{"q\"1", "q\\2", "q,3"}).status();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(*Count(*pool, Scope::Project("p")), 5);
}

TEST_F(PoolTest, ShowsOneProjectOnlyItsRows) {
  const auto pool = database_.OpenPool("notes");
  ASSERT_TRUE(Insert(*pool, Scope::Project("mine"), "a", "mine").ok());
  ASSERT_TRUE(Insert(*pool, Scope::AllProjects(), "b", "theirs").ok());
  EXPECT_EQ(*Count(*pool, Scope::Project("mine")), 1);
  EXPECT_EQ(*Count(*pool, Scope::Project("nobody")), 0);
  EXPECT_EQ(*Count(*pool, Scope::AllProjects()), 2);
  EXPECT_EQ(Insert(*pool, Scope::Project("mine"), "c", "theirs").code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(PoolTest, ALoneStatementIsConfinedToItsProjectAsATransactionIs) {
  const auto pool = database_.OpenPool("notes", 1);
  const auto insert = [&](const Scope& scope, const char* id, const char* project, int size = 1) {
    return pool->ExecuteAlone(scope, kInsert, {id, project, std::nullopt, std::nullopt, std::nullopt, size}).status();
  };
  ASSERT_TRUE(insert(Scope::Project("mine"), "a", "mine").ok());
  ASSERT_TRUE(insert(Scope::Project("theirs"), "b", "theirs").ok());
  EXPECT_EQ(insert(Scope::Project("mine"), "c", "theirs").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ((*pool->ExecuteAlone(Scope::Project("mine"), kCount, {}))[0][0].as<int>(), 1);
  EXPECT_EQ((*pool->ExecuteAlone(Scope::AllProjects(), kCount, {}))[0][0].as<int>(), 2);
  EXPECT_EQ(*Count(*pool, Scope::Project("theirs")), 1) << "a transaction has the scope that it asks for";
  EXPECT_EQ((*pool->ExecuteAlone(Scope::AllProjects(), kCount, {}))[0][0].as<int>(), 2);
  EXPECT_EQ(insert(Scope::Project("mine"), "a", "mine").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(insert(Scope::Project("mine"), "d", "mine", 1000).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(insert(Scope::Project(""), "e", "").code(), absl::StatusCode::kInternal);
}

TEST_F(PoolTest, ALoneStatementWhoseOutcomeIsUnknownIsNotRepeated) {
  const auto pool = database_.OpenPool("notes", 1);
  EXPECT_EQ(pool->ExecuteAlone(Scope::AllProjects(), kKillSelf, {}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(pool->ExecuteAlone(Scope::AllProjects(), kCount, {}).ok());
  // The server was restarted in between: then the scope could not be set, and nothing was done.
  database_.BreakConnections();
  EXPECT_TRUE(pool->ExecuteAlone(Scope::Project("p"), kCount, {}).ok());
}

TEST_F(PoolTest, RefusesAProjectScopeWithoutAProject) {
  const auto pool = database_.OpenPool("notes");
  EXPECT_EQ(Count(*pool, Scope::Project("")).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Count(*pool, Scope::Project("*")).status().code(), absl::StatusCode::kInternal);
}

TEST_F(PoolTest, ConvertsViolatedConstraints) {
  const auto pool = database_.OpenPool("notes");
  ASSERT_TRUE(Insert(*pool, Scope::Project("p"), "a", "p").ok());
  const absl::Status again = Insert(*pool, Scope::Project("p"), "a", "p");
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ViolatedConstraint(again), "notes_pkey");
  EXPECT_FALSE(absl::StrContains(again.message(), "DETAIL"));
  EXPECT_EQ(Insert(*pool, Scope::Project("p"), "b", "p", 100).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PoolTest, DoesNotCommitAfterAFailedStatementThatWasIgnored) {
  const auto pool = database_.OpenPool("notes");
  const absl::Status status = pool->Transact(Scope::Project("p"), [&](Transaction& transaction) -> absl::Status {
    transaction.Execute(kInsert, "a", "p", std::nullopt, std::nullopt, std::nullopt, 100).status().IgnoreError();
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PoolTest, RefusesTextThatTheServerWouldTruncateOrCannotRead) {
  const auto pool = database_.OpenPool("notes");
  EXPECT_EQ(Insert(*pool, Scope::Project("p"), std::string("a\0b", 3), "p").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Insert(*pool, Scope::Project("p"), "\xff\xfe", "p").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PoolTest, RefusesTwoTextsUnderOneName) {
  const auto pool = database_.OpenPool("notes", 1);
  ASSERT_TRUE(Count(*pool, Scope::AllProjects()).ok());
  const absl::Status status = pool->Transact(Scope::AllProjects(), [](Transaction& transaction) {
    return transaction.Execute({"count_notes", "select 1"}).status();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
}

TEST_F(PoolTest, ReplacesConnectionsThatTheServerDropped) {
  const auto pool = database_.OpenPool("notes", 1);
  ASSERT_TRUE(Insert(*pool, Scope::Project("p"), "a", "p").ok());
  database_.BreakConnections();
  EXPECT_EQ(*Count(*pool, Scope::Project("p")), 1);
}

TEST_F(PoolTest, RunsTheFunctionAgainWhenTheConnectionBreaksBeforeTheCommit) {
  const auto pool = database_.OpenPool("notes", 2);
  int runs = 0;
  const absl::Status status = pool->Transact(Scope::Project("p"), [&](Transaction& transaction) -> absl::Status {
    DAVIT_RETURN_IF_ERROR(transaction.Execute(kInsert, "a", "p", std::nullopt, std::nullopt, std::nullopt, 1).status());
    if (++runs == 1) return transaction.Execute(kKillSelf).status();
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(*Count(*pool, Scope::Project("p")), 1);
}

TEST_F(PoolTest, GivesUnavailableWhenTheConnectionKeepsBreaking) {
  const auto pool = database_.OpenPool("notes", 1);
  int runs = 0;
  const absl::Status status = pool->Transact(Scope::AllProjects(), [&runs](Transaction& transaction) {
    ++runs;
    return transaction.Execute(kKillSelf).status();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(runs, 5);
}

TEST_F(PoolTest, DoesNotRepeatACommitWhoseOutcomeIsUnknown) {
  const auto pool = database_.OpenPool("notes", 1);
  int runs = 0;
  const absl::Status status = pool->Transact(Scope::Project("p"), [&](Transaction& transaction) -> absl::Status {
    ++runs;
    DAVIT_RETURN_IF_ERROR(transaction.Execute(kInsert, "a", "p", std::nullopt, std::nullopt, std::nullopt, 1).status());
    database_.BreakConnections();
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "outcome is unknown")) << status;
  EXPECT_EQ(runs, 1);
}

TEST_F(PoolTest, ReadsAgainWhenTheConnectionBreaksAtTheEnd) {
  const auto pool = database_.OpenPool("notes", 1);
  int runs = 0;
  const absl::StatusOr<int> count = pool->Read(Scope::Project("p"), [&](Transaction& transaction) {
    const absl::StatusOr<pqxx::result> rows = transaction.Execute(kCount);
    if (++runs == 1) database_.BreakConnections();
    return rows.ok() ? absl::StatusOr<int>((*rows)[0][0].as<int>()) : rows.status();
  });
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 0);
  EXPECT_EQ(runs, 2);
}

TEST_F(PoolTest, AllStatementsOfAReadSeeTheSameDatabase) {
  const auto pool = database_.OpenPool("notes", 2);
  const auto counts =
      pool->Read(Scope::Project("p"), [&](Transaction& transaction) -> absl::StatusOr<std::pair<int, int>> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result before, transaction.Execute(kCount));
        DAVIT_RETURN_IF_ERROR(Insert(*pool, Scope::Project("p"), "a", "p"));
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result after, transaction.Execute(kCount));
        return std::make_pair(before[0][0].as<int>(), after[0][0].as<int>());
      });
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(*counts, std::make_pair(0, 0));
  EXPECT_EQ(*Count(*pool, Scope::Project("p")), 1);
}

TEST_F(PoolTest, AReadIsConfinedToItsScopeAndCannotWrite) {
  const auto pool = database_.OpenPool("notes", 1);
  ASSERT_TRUE(Insert(*pool, Scope::Project("p"), "a", "p").ok());
  const auto read = [&pool](const Scope& scope, const Statement& statement) {
    return pool->Read(scope, [&](Transaction& transaction) -> absl::StatusOr<int> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(statement));
      return rows[0][0].as<int>();
    });
  };
  EXPECT_EQ(*read(Scope::Project("p"), kCount), 1);
  EXPECT_EQ(*read(Scope::Project("q"), kCount), 0);
  EXPECT_EQ(read(Scope::Project(""), kCount).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(read(Scope::Project("p"), {"empty_notes", "delete from notes returning 1"}).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(*Count(*pool, Scope::Project("p")), 1);
}

TEST_F(PoolTest, RunsTheLoserOfADeadlockAgain) {
  const auto pool = database_.OpenPool("notes", 2);
  ASSERT_TRUE(Insert(*pool, Scope::Project("p"), "a", "p").ok());
  ASSERT_TRUE(Insert(*pool, Scope::Project("p"), "b", "p").ok());
  std::atomic<int> runs = 0;
  absl::Notification first_locked, second_locked;
  const auto update = [&](const char* one, const char* other, absl::Notification& mine, absl::Notification& theirs) {
    return pool->Transact(Scope::Project("p"), [&](Transaction& transaction) -> absl::Status {
      ++runs;
      DAVIT_RETURN_IF_ERROR(transaction.Execute(kBump, one).status());
      if (!mine.HasBeenNotified()) mine.Notify();
      theirs.WaitForNotification();
      return transaction.Execute(kBump, other).status();
    });
  };
  absl::Status left, right;
  std::thread thread([&] { left = update("a", "b", first_locked, second_locked); });
  right = update("b", "a", second_locked, first_locked);
  thread.join();
  EXPECT_TRUE(left.ok()) << left;
  EXPECT_TRUE(right.ok()) << right;
  // The loser may lose again: it can take its row before the winner, which waits for it, is woken.
  EXPECT_GE(runs, 3);
}

TEST_F(PoolTest, BoundsTheWaitForAConnection) {
  auto pool = Pool::Open(
      {.conninfo = database_.app_conninfo("notes"), .max_connections = 1, .acquire_timeout = absl::Milliseconds(20)});
  ASSERT_TRUE(pool.ok());
  const absl::Status status = (*pool)->Transact(
      Scope::AllProjects(), [&](Transaction&) -> absl::Status { return Count(**pool, Scope::AllProjects()).status(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(PoolTest, BoundsTheTimeOfAStatement) {
  auto pool = Pool::Open({.conninfo = database_.app_conninfo("notes"), .statement_timeout = absl::Milliseconds(50)});
  ASSERT_TRUE(pool.ok());
  const absl::Status status = (*pool)->Transact(
      Scope::AllProjects(), [&](Transaction& transaction) { return transaction.Execute(kSleep).status(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(PoolTest, KeepsItsConnections) {
  const auto pool = database_.OpenPool("notes", 3);
  const auto backend = [&pool] {
    return pool->Transact(Scope::AllProjects(), [](Transaction& transaction) -> absl::StatusOr<int> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(kBackend));
      return rows[0][0].as<int>();
    });
  };
  EXPECT_EQ(*backend(), *backend());
}

TEST_F(PoolTest, TurnsAWrongFieldAccessIntoAStatus) {
  const auto pool = database_.OpenPool("notes");
  const absl::Status status = pool->Transact(Scope::AllProjects(), [](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(kCount));
    return rows[0]["no_such_column"].is_null() ? absl::OkStatus() : absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
}

TEST(PoolOpenTest, SaysThatTheServerDoesNotAnswer) {
  const auto pool = Pool::Open({.conninfo = "host=/nonexistent user=nobody password=hush"});
  EXPECT_EQ(pool.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(absl::StrContains(pool.status().message(), "hush"));
}

TEST(PoolOpenTest, RefusesAConninfoThatCannotBeReadWithoutQuotingIt) {
  const auto pool = Pool::Open({.conninfo = "password=hush nonsense"});
  EXPECT_EQ(pool.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(absl::StrContains(pool.status().message(), "hush"));
}

}  // namespace
}  // namespace davit::postgres
