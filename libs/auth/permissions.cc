// Implements permissions.h: the table.
#include "libs/auth/permissions.h"

#include <array>
#include <initializer_list>

#include "absl/strings/str_cat.h"

namespace davit::auth {
namespace {

struct RoleRow {
  Role role;
  absl::string_view name;
};

constexpr std::array kRoles = {
    RoleRow{Role::kViewer, "viewer"},       RoleRow{Role::kDeveloper, "developer"},
    RoleRow{Role::kAdmin, "admin"},         RoleRow{Role::kAgent, "agent"},
    RoleRow{Role::kGateway, "gateway"},     RoleRow{Role::kRuleEngine, "rule-engine"},
    RoleRow{Role::kScheduler, "scheduler"}, RoleRow{Role::kConsole, "console"},
};

constexpr unsigned Bit(Role role) { return 1u << static_cast<unsigned>(role); }

constexpr unsigned kEverybody = Bit(Role::kViewer) | Bit(Role::kDeveloper) | Bit(Role::kAdmin) | Bit(Role::kAgent) |
                                Bit(Role::kGateway) | Bit(Role::kRuleEngine) | Bit(Role::kScheduler) |
                                Bit(Role::kConsole);
constexpr unsigned kFromAdmin = Bit(Role::kAdmin);
constexpr unsigned kFromDeveloper = kFromAdmin | Bit(Role::kDeveloper);
constexpr unsigned kFromViewer = kFromDeveloper | Bit(Role::kViewer);
constexpr unsigned kAgent = Bit(Role::kAgent);
constexpr unsigned kGateway = Bit(Role::kGateway);
constexpr unsigned kRuleEngine = Bit(Role::kRuleEngine);
constexpr unsigned kScheduler = Bit(Role::kScheduler);
constexpr unsigned kConsole = Bit(Role::kConsole);

struct PermissionRow {
  Permission permission;
  absl::string_view name;
  unsigned roles;
};

// In the order of the enumeration.
constexpr std::array kTable = {
    PermissionRow{Permission::kAny, "call", kEverybody},
    PermissionRow{Permission::kRead, "read the project", kFromViewer | kRuleEngine | kScheduler},
    PermissionRow{Permission::kReadSource, "look into repositories", kFromDeveloper | kRuleEngine | kScheduler},
    PermissionRow{Permission::kWriteConnections, "write connections and webhooks", kFromAdmin},
    PermissionRow{Permission::kRemoveWebhooks, "remove webhooks", kFromAdmin | kRuleEngine},
    PermissionRow{Permission::kWriteRegistryCredentials, "write registry credentials", kFromAdmin},
    PermissionRow{Permission::kWriteSecrets, "write secrets", kFromAdmin},
    PermissionRow{Permission::kWriteRules, "write rules", kFromAdmin},
    PermissionRow{Permission::kTriggerRules, "trigger rules", kFromDeveloper},
    PermissionRow{Permission::kCreateBuilds, "create builds", kFromDeveloper | kRuleEngine},
    PermissionRow{Permission::kRunBuilds, "upload contexts, cancel and retry builds", kFromDeveloper},
    PermissionRow{Permission::kManageTokens, "manage API tokens", kFromAdmin},
    PermissionRow{Permission::kReadAuditLog, "read the audit log", kFromAdmin},
    PermissionRow{Permission::kOperateSystem, "operate the system", kFromAdmin},
    PermissionRow{Permission::kIntrospectTokens, "introspect tokens", kGateway | kRuleEngine | kScheduler | kConsole},
    PermissionRow{Permission::kReadWebhookSecrets, "read webhook secrets", kGateway},
    PermissionRow{Permission::kIngestEvents, "ingest events", kGateway},
    PermissionRow{Permission::kGrantBuildCredentials, "grant build credentials", kScheduler},
    PermissionRow{Permission::kIssueBuildCredentials, "be issued build credentials", kAgent},
    PermissionRow{Permission::kIssuePublishCredentials, "be issued publishing credentials", kScheduler},
    PermissionRow{Permission::kWorkBuilds, "work on builds", kAgent},
    PermissionRow{Permission::kReportStatus, "report the status of commits", kRuleEngine | kScheduler},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<size_t>(kTable[i].permission) != i) return false;
  }
  return kTable.size() == static_cast<size_t>(Permission::kReportStatus) + 1;
}
static_assert(InOrder(), "kTable lists every permission in the order of the enumeration");

}  // namespace

absl::string_view RoleName(Role role) {
  for (const RoleRow& row : kRoles) {
    if (row.role == role) return row.name;
  }
  return "unknown";
}

absl::StatusOr<Role> ParseRole(absl::string_view name) {
  std::string names;
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
    absl::StrAppend(&names, names.empty() ? "" : ", ", row.name);
  }
  return absl::InvalidArgumentError(absl::StrCat("role: \"", name, "\" is none of ", names));
}

absl::StatusOr<Role> RoleFromNumber(int number) {
  for (const RoleRow& row : kRoles) {
    if (static_cast<int>(row.role) == number) return row.role;
  }
  return absl::InvalidArgumentError(absl::StrCat("role: ", number, " is not a role"));
}

absl::string_view PermissionName(Permission permission) { return kTable[static_cast<size_t>(permission)].name; }

bool Allows(Role role, Permission permission) {
  return (kTable[static_cast<size_t>(permission)].roles & Bit(role)) != 0;
}

}  // namespace davit::auth
