// A real PostgreSQL for tests: one private server per test binary, one database per TestDatabase. Used by tests only.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/postgres/pool.h"
#include "libs/postgres/statement.h"

namespace davit::postgres {

// A fresh, empty database that is dropped again by the destructor. The server starts with the first one: unprivileged
// user, a directory of its own in memory, unix socket only, no fsync; it ends with the test binary, however that ends.
// The environment variable DAVIT_TEST_POSTGRES (an administrator's conninfo) names a running server to use instead.
// Failures end the test binary with a message: a test cannot go on without its database.
class TestDatabase {
 public:
  // Makes the database and provisions `services` in it (libs/postgres/provision.h).
  explicit TestDatabase(absl::Span<const absl::string_view> services);
  explicit TestDatabase(absl::string_view service) : TestDatabase(absl::MakeConstSpan(&service, 1)) {}
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  // Applies a service's migrations as its owner.
  void Migrate(absl::string_view service, absl::Span<const Statement> migrations);

  // A pool of the service's application role.
  std::unique_ptr<Pool> OpenPool(absl::string_view service, int max_connections = 4) const;

  // How to connect as the administrator (a superuser: sees every row), as a service's owner, as its application.
  const std::string& admin_conninfo() const { return admin_conninfo_; }
  std::string owner_conninfo(absl::string_view service) const;
  std::string app_conninfo(absl::string_view service) const;

  // Ends every other connection to this database, as a restart of the server would.
  void BreakConnections() const;

  // The whole database as SQL text (pg_dump): to prove that something is not in it.
  std::string Dump() const;

 private:
  std::string name_;
  std::string admin_conninfo_;
};

}  // namespace davit::postgres
