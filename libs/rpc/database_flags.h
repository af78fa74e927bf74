// The command-line flags of services with a database. Only main.cc files include this.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace davit::rpc {

// The values of --database, --database_owner and --database_connections. Connection strings are libpq's ("host=db
// dbname=davit user=davit_scheduler"); passwords come from a passfile, never from the command line.
struct DatabaseFlags {
  // As the service's app role.
  std::string conninfo;

  // As the role that owns the schema, to run migrations at start; empty = migrations are run by somebody else.
  std::string owner_conninfo;

  int max_connections = 0;
};

// Reads the flags; call it after ParseServiceFlags. INVALID_ARGUMENT: --database is missing, or a connection string
// holds a password.
absl::StatusOr<DatabaseFlags> ReadDatabaseFlags();

}  // namespace davit::rpc
