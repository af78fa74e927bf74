// Implements provision.h.
#include "libs/postgres/provision.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/conninfo.h"
#include "libs/postgres/transaction.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::postgres {
namespace {

// Roles and schemas belong to the cluster or the database: two processes that provision at once must take turns.
constexpr Statement kLock = {"davit_lock_provision",
                             "select pg_advisory_xact_lock(hashtextextended('davit provision', 0))"};
constexpr Statement kRoleExists = {"davit_role_exists", "select 1 from pg_roles where rolname = $1"};
constexpr Statement kPasswordText = {"davit_password_text",
                                     "select format('alter role %I password %L', $1::text, $2::text)"};

// $0 schema, $1 owner role, $2 application role, $3 database. The names were checked: they need no quoting, but the
// database's.
constexpr char kGrants[] = R"sql(
grant $1 to current_user;
create schema if not exists "$0" authorization $1;
revoke all on schema "$0" from public;
grant usage on schema "$0" to $2;
grant connect on database $3 to $1, $2;
alter role $1 in database $3 set search_path = "$0";
alter role $2 in database $3 set search_path = "$0";
alter default privileges for role $1 in schema "$0" grant select, insert, update, delete on tables to $2;
alter default privileges for role $1 in schema "$0" grant usage, select on sequences to $2;
alter default privileges for role $1 revoke execute on functions from public;
alter default privileges for role $1 in schema "$0" grant execute on functions to $2;
)sql";

constexpr Statement kDatabaseName = {"davit_database_name", "select quote_ident(current_database())"};

bool IsServiceName(absl::string_view service) {
  if (service.empty() || service.size() > 40 || !absl::ascii_islower(service[0])) return false;
  for (const char c : service) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '_') return false;
  }
  return true;
}

absl::Status EnsureRole(Transaction* transaction, const std::string& role, const std::string& password) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result found, transaction->Execute(kRoleExists, role));
  const absl::string_view verb = found.empty() ? "create" : "alter";
  DAVIT_RETURN_IF_ERROR(transaction->ExecuteScript(
      absl::StrCat(verb, " role ", role, " login noinherit nocreatedb nocreaterole").c_str()));
  if (password.empty()) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result text, transaction->Execute(kPasswordText, role, password));
  return transaction->ExecuteScript(ReadText(text[0][0]).c_str());
}

}  // namespace

ServiceRoles::ServiceRoles(absl::string_view service)
    : schema(service), owner(absl::StrCat("davit_", service, "_owner")), app(absl::StrCat("davit_", service)) {}

absl::Status ProvisionSchema(absl::string_view admin_conninfo, absl::string_view service,
                             const RolePasswords& passwords) {
  if (!IsServiceName(service)) {
    return absl::InvalidArgumentError(
        absl::StrCat("service: \"", service, "\" is not a name of at most 40 letters a-z, digits and underscores"));
  }
  const ServiceRoles roles(service);
  DAVIT_ASSIGN_OR_RETURN(auto settings, ParseConninfo(admin_conninfo));
  settings.emplace("connect_timeout", "5");
  DAVIT_ASSIGN_OR_RETURN(const auto connection, Connection::Connect(FormatConninfo(settings)));
  return Annotate(connection->Unscoped([&](Transaction* transaction) -> absl::Status {
    DAVIT_RETURN_IF_ERROR(transaction->Execute(kLock).status());
    DAVIT_RETURN_IF_ERROR(EnsureRole(transaction, roles.owner, passwords.owner));
    DAVIT_RETURN_IF_ERROR(EnsureRole(transaction, roles.app, passwords.app));
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result database, transaction->Execute(kDatabaseName));
    return transaction->ExecuteScript(
        absl::Substitute(kGrants, roles.schema, roles.owner, roles.app, ReadText(database[0][0])).c_str());
  }),
                  absl::StrCat("Failed to provision the schema ", service));
}

absl::StatusOr<std::string> ConninfoForRole(absl::string_view conninfo, absl::string_view role,
                                            absl::string_view password) {
  DAVIT_ASSIGN_OR_RETURN(auto settings, ParseConninfo(conninfo));
  settings["user"] = std::string(role);
  settings.erase("password");
  if (!password.empty()) settings["password"] = std::string(password);
  return FormatConninfo(settings);
}

}  // namespace davit::postgres
