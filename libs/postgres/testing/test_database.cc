// Implements test_database.h.
#include "libs/postgres/testing/test_database.h"

#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <pqxx/pqxx>

#include "absl/strings/str_cat.h"
#include "libs/postgres/migrate.h"
#include "libs/postgres/provision.h"
#include "libs/postgres/testing/test_server.h"
#include "libs/process/run.h"

namespace davit::postgres {
namespace {

[[noreturn]] void Die(const absl::Status& status) {
  std::cerr << "No database to test with: " << status << std::endl;
  exit(1);
}

// The administrator's conninfo of the server that all databases of this test binary share; starts it when first called.
const std::string& ServerConninfo() {
  static const std::string conninfo = []() -> std::string {
    if (const char* running = getenv("DAVIT_TEST_POSTGRES")) return running;
    static absl::StatusOr<std::unique_ptr<TestServer>> server = TestServer::Start();
    if (!server.ok()) Die(server.status());
    return (*server)->conninfo();
  }();
  return conninfo;
}

// Runs one statement outside of a transaction (create database cannot run inside one).
void Administer(const std::string& statement) {
  try {
    pqxx::connection connection(ServerConninfo());
    pqxx::nontransaction work(connection);
    work.exec(statement);
  } catch (const std::exception& exception) {
    Die(absl::InternalError(exception.what()));
  }
}

std::string Role(const std::string& admin, const std::string& role) {
  absl::StatusOr<std::string> conninfo = ConninfoForRole(admin, role);
  if (!conninfo.ok()) Die(conninfo.status());
  return *std::move(conninfo);
}

}  // namespace

TestDatabase::TestDatabase(absl::Span<const absl::string_view> services) {
  static std::atomic<int> count = 0;
  name_ = absl::StrCat("davit_test_", getpid(), "_", ++count);
  Administer(absl::StrCat("create database ", name_));
  admin_conninfo_ = absl::StrCat(ServerConninfo(), " dbname=", name_);
  for (const absl::string_view service : services) {
    if (const absl::Status status = ProvisionSchema(admin_conninfo_, service); !status.ok()) Die(status);
  }
}

TestDatabase::~TestDatabase() { Administer(absl::StrCat("drop database ", name_, " with (force)")); }

void TestDatabase::Migrate(absl::string_view service, absl::Span<const Statement> migrations) {
  const absl::Status status = postgres::Migrate(owner_conninfo(service), service, migrations);
  if (!status.ok()) Die(status);
}

std::unique_ptr<Pool> TestDatabase::OpenPool(absl::string_view service, int max_connections) const {
  PoolOptions options;
  options.conninfo = app_conninfo(service);
  options.max_connections = max_connections;
  options.application_name = "davit-test";
  absl::StatusOr<std::unique_ptr<Pool>> pool = Pool::Open(std::move(options));
  if (!pool.ok()) Die(pool.status());
  return *std::move(pool);
}

std::string TestDatabase::owner_conninfo(absl::string_view service) const {
  return Role(admin_conninfo_, ServiceRoles(service).owner);
}

std::string TestDatabase::app_conninfo(absl::string_view service) const {
  return Role(admin_conninfo_, ServiceRoles(service).app);
}

void TestDatabase::BreakConnections() const {
  Administer(
      absl::StrCat("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '", name_, "'"));
}

std::string TestDatabase::Dump() const {
  process::SpawnOptions options;
  options.argv = {"/usr/lib/postgresql/15/bin/pg_dump", "--dbname", admin_conninfo_};
  absl::StatusOr<std::string> text = process::RunOrFail(std::move(options), absl::Minutes(1));
  if (!text.ok()) Die(text.status());
  return *std::move(text);
}

}  // namespace davit::postgres
