// Implements migrate.h.
#include "libs/postgres/migrate.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/conninfo.h"
#include "libs/postgres/transaction.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::postgres {
namespace {

constexpr Statement kUseSchema = {"davit_use_schema", "select set_config('search_path', quote_ident($1), false)"};
constexpr Statement kLock = {"davit_lock_migrations",
                             "select pg_advisory_lock(hashtextextended('davit migrate ' || $1, 0))"};
constexpr Statement kChecksum = {"davit_migration_checksum", "select encode(sha256(convert_to($1, 'UTF8')), 'hex')"};
constexpr Statement kListApplied = {"davit_list_migrations", "select version, checksum from schema_migrations"};
constexpr Statement kTableExists = {"davit_migrations_exist", "select to_regclass('schema_migrations') is not null"};
constexpr Statement kRecord = {"davit_record_migration",
                               "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)"};
constexpr char kCreateTable[] =
    "create table if not exists schema_migrations ("
    " version integer primary key, name text not null, checksum text not null,"
    " applied_at timestamptz not null default now());"
    // The application may read it and change nothing.
    "alter table schema_migrations enable row level security;"
    "do $$ begin"
    " if not exists (select from pg_policies where schemaname = current_schema() and tablename = 'schema_migrations')"
    " then create policy readable on schema_migrations for select using (true); end if; end $$";

// The migrations by number.
absl::StatusOr<std::map<int, Statement>> Numbered(absl::Span<const Statement> migrations) {
  std::map<int, Statement> numbered;
  for (const Statement& migration : migrations) {
    const absl::string_view name = migration.name;
    int version = 0;
    if (!absl::SimpleAtoi(name.substr(0, name.find('_')), &version) || version < 1) {
      return absl::InvalidArgumentError(absl::StrCat("migration ", name, ": name must be NNNN_what"));
    }
    if (!numbered.emplace(version, migration).second) {
      return absl::InvalidArgumentError(absl::StrCat("migration ", name, ": number is used twice"));
    }
  }
  return numbered;
}

absl::StatusOr<std::unique_ptr<Connection>> Connect(absl::string_view conninfo, absl::string_view schema) {
  DAVIT_ASSIGN_OR_RETURN(auto settings, ParseConninfo(conninfo));
  settings["application_name"] = absl::StrCat("davit-migrate-", schema);
  settings.emplace("connect_timeout", "5");
  return Connection::Connect(FormatConninfo(settings));
}

// What the application's role sees: nothing while the table is not there.
absl::Status ReadApplied(Transaction* transaction, absl::string_view schema, std::map<int, std::string>& applied) {
  DAVIT_RETURN_IF_ERROR(transaction->Execute(kUseSchema, schema).status());
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result exists, transaction->Execute(kTableExists));
  if (!exists[0][0].as<bool>()) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction->Execute(kListApplied));
  for (const pqxx::row& row : rows) applied[row[0].as<int>()] = ReadText(row[1]);
  return absl::OkStatus();
}

absl::StatusOr<std::map<int, std::string>> ListApplied(Connection& connection) {
  std::map<int, std::string> applied;
  const absl::Status status = connection.Unscoped([&applied](Transaction* transaction) -> absl::Status {
    DAVIT_RETURN_IF_ERROR(transaction->ExecuteScript(kCreateTable));
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction->Execute(kListApplied));
    for (const pqxx::row& row : rows) applied[row[0].as<int>()] = ReadText(row[1]);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return applied;
}

absl::Status Apply(Connection& connection, int version, const Statement& migration,
                   const std::map<int, std::string>& applied) {
  return connection.Unscoped([&](Transaction* transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result sum, transaction->Execute(kChecksum, migration.text));
    const std::string checksum = ReadText(sum[0][0]);
    if (const auto it = applied.find(version); it != applied.end()) {
      if (it->second == checksum) return absl::OkStatus();
      return absl::FailedPreconditionError("text differs from the one that was applied; add a new migration instead");
    }
    DAVIT_RETURN_IF_ERROR(transaction->ExecuteScript(migration.text));
    return transaction->Execute(kRecord, version, migration.name, checksum).status();
  });
}

}  // namespace

absl::Status Migrate(absl::string_view owner_conninfo, absl::string_view schema,
                     absl::Span<const Statement> migrations) {
  DAVIT_ASSIGN_OR_RETURN(const auto numbered, Numbered(migrations));
  DAVIT_ASSIGN_OR_RETURN(const auto connection, Connect(owner_conninfo, schema));
  // The lock belongs to the session: closing the connection gives it up.
  DAVIT_RETURN_IF_ERROR(connection->Unscoped([schema](Transaction* transaction) -> absl::Status {
    DAVIT_RETURN_IF_ERROR(transaction->Execute(kUseSchema, schema).status());
    return transaction->Execute(kLock, schema).status();
  }));
  DAVIT_ASSIGN_OR_RETURN(const auto applied, ListApplied(*connection));
  for (const auto& [version, migration] : numbered) {
    DAVIT_RETURN_IF_ERROR(Annotate(Apply(*connection, version, migration, applied),
                                   absl::StrCat("Failed to apply migration ", migration.name)));
  }
  return absl::OkStatus();
}

absl::Status CheckMigrated(absl::string_view app_conninfo, absl::string_view schema,
                           absl::Span<const Statement> migrations) {
  DAVIT_ASSIGN_OR_RETURN(const auto numbered, Numbered(migrations));
  DAVIT_ASSIGN_OR_RETURN(const auto connection, Connect(app_conninfo, schema));
  std::map<int, std::string> applied;
  DAVIT_RETURN_IF_ERROR(
      connection->Unscoped([&](Transaction* transaction) { return ReadApplied(transaction, schema, applied); }));
  for (const auto& [version, migration] : numbered) {
    if (applied.count(version) > 0) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the schema ", schema, " lacks the migration ", migration.name,
                     ": run this program with --migrate_only, or give it --database_owner"));
  }
  return absl::OkStatus();
}

absl::Status MigrateOrCheck(absl::string_view owner_conninfo, absl::string_view app_conninfo, absl::string_view schema,
                            absl::Span<const Statement> migrations) {
  if (owner_conninfo.empty()) return CheckMigrated(app_conninfo, schema, migrations);
  return Migrate(owner_conninfo, schema, migrations);
}

}  // namespace davit::postgres
