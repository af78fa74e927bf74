// Makes a service's place in the database: its roles and its schema. Stateless; callable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::postgres {

// The names that belong to a service called NAME: schema NAME, owner role davit_NAME_owner (runs migrations),
// application role davit_NAME (does the work; owns nothing and is subject to row-level security).
struct ServiceRoles {
  explicit ServiceRoles(absl::string_view service);

  std::string schema;
  std::string owner;
  std::string app;
};

// Passwords of the two roles; an empty one leaves a role without a password (servers that trust or map local users).
struct RolePasswords {
  std::string owner;
  std::string app;
};

// Makes, if missing, the roles, the schema and the privileges of `service` ([a-z][a-z0-9_]*) in the database that
// `admin_conninfo` names; running it again changes nothing but passwords. The administrator must be able to create
// roles. Nothing is granted to PUBLIC, so one service's roles cannot see another's schema.
absl::Status ProvisionSchema(absl::string_view admin_conninfo, absl::string_view service,
                             const RolePasswords& passwords = {});

// `conninfo` with its user (and, unless empty, its password) replaced: from the administrator's conninfo to a role's.
// INVALID_ARGUMENT when it cannot be read.
absl::StatusOr<std::string> ConninfoForRole(absl::string_view conninfo, absl::string_view role,
                                            absl::string_view password = "");

}  // namespace davit::postgres
