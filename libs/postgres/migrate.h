// Brings a service's schema up to date. Stateless; callable from any thread and any number of processes at once.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/postgres/statement.h"

namespace davit::postgres {

// Applies the migrations that `schema` does not have yet, in the order of their numbers, each in a transaction of its
// own, and records them in SCHEMA.schema_migrations with a checksum. Only one process at a time does so (an advisory
// lock). `owner_conninfo` is of the schema's owner role; a migration's tables land in `schema` without naming it. Names
// start with a number, NNNN_what. A newer database than this list is accepted: an older replica may start during an
// upgrade. Errors: FAILED_PRECONDITION when an applied migration's text has changed; INVALID_ARGUMENT for names without
// numbers or numbers used twice; what the migration itself raised, annotated with its name.
absl::Status Migrate(absl::string_view owner_conninfo, absl::string_view schema,
                     absl::Span<const Statement> migrations);

// Whether somebody has applied all of `migrations`, as the application's role sees it. FAILED_PRECONDITION names the
// first that is missing and says what to do; UNAVAILABLE when the database does not answer.
absl::Status CheckMigrated(absl::string_view app_conninfo, absl::string_view schema,
                           absl::Span<const Statement> migrations);

// What a service does when it starts: migrates, or, when it was not given the owner's connection string, checks.
absl::Status MigrateOrCheck(absl::string_view owner_conninfo, absl::string_view app_conninfo, absl::string_view schema,
                            absl::Span<const Statement> migrations);

}  // namespace davit::postgres
