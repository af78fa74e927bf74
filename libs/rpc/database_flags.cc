// Implements database_flags.h. The flags are process-wide and are read once, on main's thread.
#include "libs/rpc/database_flags.h"

#include <map>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "libs/postgres/conninfo.h"
#include "libs/postgres/migrate.h"
#include "libs/postgres/provision.h"
#include "libs/rpc/service_main.h"
#include "libs/status/status_macros.h"

ABSL_FLAG(std::string, database, "",
          "libpq connection string as the service's app role, for example \"host=db dbname=davit user=davit_scheduler "
          "sslmode=require\". No password in it: use --database_password_file.");
ABSL_FLAG(std::string, database_password_file, "", "File with the app role's password.");
ABSL_FLAG(
    std::string, database_owner, "",
    "libpq connection string as the role that owns the service's schema; migrations are run with it at start. Empty = "
    "they are run by somebody else, with --migrate_only.");
ABSL_FLAG(std::string, database_owner_password_file, "", "File with the owner's password.");
ABSL_FLAG(std::string, database_admin, "",
          "With --migrate_only: libpq connection string of a role that may create roles and schemas; the service's are "
          "made before the migrations are run, with the passwords of the two password files. Empty = they are there.");
ABSL_FLAG(std::string, database_admin_password_file, "", "File with that role's password.");
ABSL_FLAG(int, database_connections, 8, "Most connections to the database, 1 to 1000.");
ABSL_FLAG(bool, migrate_only, false,
          "Bring the service's schema up to date, with --database_owner and, if given, --database_admin, and end.");

namespace davit::rpc {
namespace {

constexpr int kMostConnections = 1000;

// A connection string with the password of its file, if it has one.
std::string WithPassword(absl::string_view flag, const std::string& conninfo, const std::string& password_file,
                         crypto::SecretString& password, settings::ConfigReport& report) {
  if (!password_file.empty()) {
    absl::StatusOr<crypto::SecretString> read = ReadSecretFile(password_file);
    report.Note(absl::StrCat(flag, "_password_file"), read.status());
    if (read.ok()) password = *std::move(read);
  }
  if (conninfo.empty()) return "";
  absl::StatusOr<std::map<std::string, std::string>> settings = postgres::ParseConninfo(conninfo);
  report.Note(flag, settings.status());
  if (!settings.ok()) return "";
  if (settings->contains("password")) {
    report.Note(flag, absl::InvalidArgumentError(absl::StrCat(
                          "a password in a flag can be read by every user of the machine; put it into a file and name "
                          "that with ",
                          flag, "_password_file")));
    return "";
  }
  if (!password.empty()) (*settings)["password"] = password.Reveal();
  return postgres::FormatConninfo(*settings);
}

}  // namespace

DatabaseFlags ReadDatabaseFlags(settings::ConfigReport& report) {
  DatabaseFlags flags;
  flags.migrate_only = absl::GetFlag(FLAGS_migrate_only);
  flags.conninfo = WithPassword("--database", absl::GetFlag(FLAGS_database),
                                absl::GetFlag(FLAGS_database_password_file), flags.password, report);
  flags.owner_conninfo = WithPassword("--database_owner", absl::GetFlag(FLAGS_database_owner),
                                      absl::GetFlag(FLAGS_database_owner_password_file), flags.owner_password, report);
  crypto::SecretString admin_password;
  flags.admin_conninfo = WithPassword("--database_admin", absl::GetFlag(FLAGS_database_admin),
                                      absl::GetFlag(FLAGS_database_admin_password_file), admin_password, report);
  flags.max_connections = absl::GetFlag(FLAGS_database_connections);
  report.Note("--database_connections", settings::CheckRange(flags.max_connections, 1, kMostConnections));
  if (flags.migrate_only && absl::GetFlag(FLAGS_database_owner).empty()) {
    report.Note("--database_owner", absl::InvalidArgumentError("is required with --migrate_only: a libpq connection "
                                                               "string as the role that owns the service's schema"));
  }
  if (!flags.migrate_only && absl::GetFlag(FLAGS_database).empty()) {
    report.Note("--database",
                absl::InvalidArgumentError(
                    "is required: a libpq connection string as the service's app role, without password"));
  }
  if (!flags.migrate_only && !absl::GetFlag(FLAGS_database_admin).empty()) {
    report.Note("--database_admin", absl::InvalidArgumentError("is used with --migrate_only, and only there"));
  }
  return flags;
}

absl::Status MigrateDatabase(const DatabaseFlags& flags, absl::string_view service,
                             absl::Span<const postgres::Statement> migrations, const Logger& logger) {
  if (!flags.admin_conninfo.empty()) {
    DAVIT_RETURN_IF_ERROR(postgres::ProvisionSchema(
        flags.admin_conninfo, service, {.owner = flags.owner_password.Reveal(), .app = flags.password.Reveal()}));
    logger.Info("the roles and the schema are there", {{"schema", service}});
  }
  DAVIT_RETURN_IF_ERROR(postgres::Migrate(flags.owner_conninfo, service, migrations));
  logger.Info("the schema is up to date", {{"schema", service}, {"migrations", migrations.size()}});
  return absl::OkStatus();
}

}  // namespace davit::rpc
