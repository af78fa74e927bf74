// Implements database_flags.h. The flags are process-wide and are read once, on main's thread.
#include "libs/rpc/database_flags.h"

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

ABSL_FLAG(std::string, database, "",
          "libpq connection string as the service's app role, for example \"host=db dbname=davit user=davit_scheduler "
          "passfile=/etc/davit/pgpass\". No password in it: use a passfile.");
ABSL_FLAG(
    std::string, database_owner, "",
    "libpq connection string as the role that owns the service's schema; migrations are run with it at start. Empty = "
    "they are run by somebody else.");
ABSL_FLAG(int, database_connections, 8, "Most connections to the database.");

namespace davit::rpc {
namespace {

absl::Status CheckConninfo(absl::string_view flag, const std::string& conninfo) {
  const size_t at = conninfo.find('@');
  const bool url_password = absl::StrContains(conninfo, "://") && at != std::string::npos &&
                            conninfo.find(':', conninfo.find("://") + 3) < at;
  if (!url_password && !absl::StrContains(conninfo, "password=") && !absl::StrContains(conninfo, "password =")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      flag, ": a password on the command line can be read by every user of the machine; name a file with passfile="));
}

}  // namespace

absl::StatusOr<DatabaseFlags> ReadDatabaseFlags() {
  DatabaseFlags flags;
  flags.conninfo = absl::GetFlag(FLAGS_database);
  flags.owner_conninfo = absl::GetFlag(FLAGS_database_owner);
  flags.max_connections = absl::GetFlag(FLAGS_database_connections);
  if (flags.conninfo.empty()) {
    return absl::InvalidArgumentError("--database is required: a libpq connection string as the service's app role");
  }
  if (absl::Status status = CheckConninfo("--database", flags.conninfo); !status.ok()) return status;
  if (absl::Status status = CheckConninfo("--database_owner", flags.owner_conninfo); !status.ok()) return status;
  if (flags.max_connections < 1 || flags.max_connections > 1000) {
    return absl::InvalidArgumentError("--database_connections is a number from 1 to 1000");
  }
  return flags;
}

}  // namespace davit::rpc
