// Tests of provision.h on a real PostgreSQL.
#include "libs/postgres/provision.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "libs/postgres/error.h"
#include "libs/postgres/testing/test_database.h"

namespace davit::postgres {
namespace {

constexpr Statement kMigrations[] = {{"0001_create_things", R"sql(
create table things (id bigserial primary key, project text not null);
alter table things enable row level security;
alter table things force row level security;
create policy by_project on things using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
insert into things (project) select set_config('davit.project', project, true) from (values ('mine'), ('theirs')) as p (project);
)sql"}};

// Runs statements in one transaction of `conninfo`'s role and returns the last one's first column as text, joined by
// commas, or the SQLSTATE of the failure.
std::string Try(const std::string& conninfo, std::initializer_list<const char*> statements) {
  pqxx::connection connection(conninfo);
  pqxx::quiet_errorhandler quiet(connection);
  try {
    pqxx::work work(connection);
    pqxx::result result;
    for (const char* statement : statements) result = work.exec(statement);
    work.commit();
    std::string text;
    for (const pqxx::row& row : result) text += (text.empty() ? "" : ",") + std::string(row[0].c_str());
    return text;
  } catch (const pqxx::sql_error& error) {
    return "error " + SqlState(StatusFromException(error));
  }
}

class ProvisionTest : public testing::Test {
 protected:
  ProvisionTest() {
    database_.Migrate("left", kMigrations);
    database_.Migrate("right", kMigrations);
  }

  TestDatabase database_{std::initializer_list<absl::string_view>{"left", "right"}};
};

TEST_F(ProvisionTest, ConfinesAnApplicationRoleToTheProjectOfItsTransaction) {
  const std::string app = database_.app_conninfo("left");
  EXPECT_EQ(Try(app, {"select project from things order by 1"}), "");
  EXPECT_EQ(Try(app, {"set local davit.project = 'mine'", "select project from things order by 1"}), "mine");
  EXPECT_EQ(Try(app, {"set local davit.project = '*'", "select project from things order by 1"}), "mine,theirs");
  EXPECT_EQ(Try(app, {"set local davit.project = 'mine'", "update things set project = 'theirs'"}), "error 42501");
  EXPECT_EQ(Try(app, {"set local davit.project = 'mine'", "insert into things (project) values ('theirs')"}),
            "error 42501");
  EXPECT_EQ(
      Try(app, {"set local davit.project = 'mine'", "delete from things where project = 'theirs' returning project"}),
      "");
}

TEST_F(ProvisionTest, ConfinesEvenTheOwner) {
  EXPECT_EQ(Try(database_.owner_conninfo("left"), {"select project from things"}), "");
}

TEST_F(ProvisionTest, GivesAnApplicationRoleNoWayAroundItsPolicies) {
  const std::string app = database_.app_conninfo("left");
  EXPECT_EQ(Try(app, {"alter table things disable row level security"}), "error 42501");
  EXPECT_EQ(Try(app, {"drop policy by_project on things"}), "error 42501");
  EXPECT_EQ(Try(app, {"truncate things"}), "error 42501");
  EXPECT_EQ(Try(app, {"set role davit_left_owner"}), "error 42501");
  EXPECT_EQ(Try(app, {"create table mine (id int)"}), "error 42501");
  EXPECT_EQ(Try(app, {"create table public.mine (id int)"}), "error 42501");
  EXPECT_EQ(Try(app, {"set local row_security = off", "select project from things"}), "error 42501");
}

TEST_F(ProvisionTest, HidesOtherServicesSchemas) {
  for (const char* statement :
       {"select 1 from \"right\".things", "insert into \"right\".things (project) values ('mine')",
        "drop schema \"right\" cascade"}) {
    EXPECT_EQ(Try(database_.app_conninfo("left"), {"set local davit.project = '*'", statement}), "error 42501");
    EXPECT_EQ(Try(database_.owner_conninfo("left"), {"set local davit.project = '*'", statement}), "error 42501");
  }
}

TEST_F(ProvisionTest, TheApplicationSeesTheMigrationsAndCannotChangeThem) {
  EXPECT_EQ(Try(database_.app_conninfo("left"), {"select name from schema_migrations"}), "0001_create_things");
  EXPECT_EQ(Try(database_.app_conninfo("left"), {"delete from schema_migrations", "select 'none deleted'"}),
            "none deleted");
  EXPECT_EQ(Try(database_.app_conninfo("left"), {"insert into schema_migrations values (2, 'mine', 'x')"}),
            "error 42501");
  EXPECT_EQ(Try(database_.owner_conninfo("left"), {"select name from schema_migrations"}), "0001_create_things");
}

TEST_F(ProvisionTest, CanBeRepeated) {
  EXPECT_TRUE(ProvisionSchema(database_.admin_conninfo(), "left", {.owner = "o'w", .app = "a"}).ok());
  EXPECT_EQ(Try(database_.app_conninfo("left"), {"set local davit.project = '*'", "select count(*) from things"}), "2");
}

TEST_F(ProvisionTest, RefusesNamesThatAreNotPlain) {
  for (const char* name : {"", "Left", "a-b", "a;b", "1a", "a b"}) {
    EXPECT_EQ(ProvisionSchema(database_.admin_conninfo(), name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST(ConninfoForRoleTest, ReplacesUserAndPasswordAndKeepsTheRest) {
  EXPECT_EQ(*ConninfoForRole("host=h user=admin password=secret dbname=d", "app"), "dbname='d' host='h' user='app'");
  EXPECT_EQ(*ConninfoForRole("postgresql://admin:secret@h/d", "app", "it's"),
            "dbname='d' host='h' password='it\\'s' user='app'");
}

}  // namespace
}  // namespace davit::postgres
