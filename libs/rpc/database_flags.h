// The command-line flags of services with a database. Only main.cc files include this.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/crypto/secret.h"
#include "libs/logging/logger.h"
#include "libs/postgres/statement.h"
#include "libs/settings/config_report.h"

namespace davit::rpc {

// The values of --database, --database_owner, --database_admin, their password files, --database_connections and
// --migrate_only. Connection strings are libpq's ("host=db dbname=davit user=davit_scheduler"); passwords come from
// files, never from the command line.
struct DatabaseFlags {
  // As the service's app role, its password included.
  std::string conninfo;

  // As the role that owns the schema, to run migrations; empty = migrations are run by somebody else.
  std::string owner_conninfo;

  // As a role that may create roles and schemas; empty = they are there.
  std::string admin_conninfo;

  // What the two roles sign in with; empty = without a password, or by a passfile of libpq's.
  crypto::SecretString password;
  crypto::SecretString owner_password;

  int max_connections = 0;

  // Whether the program shall bring the schema up to date, and end.
  bool migrate_only = false;
};

// Reads the flags and the password files; call it after ParseServiceFlags. Notes in `report` what is wrong: --database
// is missing, a connection string cannot be read or holds a password, a file cannot be read.
DatabaseFlags ReadDatabaseFlags(settings::ConfigReport& report);

// What --migrate_only does for `service` ([a-z][a-z0-9_]*): with --database_admin it makes the service's roles and
// schema, then, as the owner, applies the migrations that are missing (postgres/provision.h, postgres/migrate.h). Any
// number of processes may do so at once, and repeating it changes nothing.
absl::Status MigrateDatabase(const DatabaseFlags& flags, absl::string_view service,
                             absl::Span<const postgres::Statement> migrations, const Logger& logger);

}  // namespace davit::rpc
