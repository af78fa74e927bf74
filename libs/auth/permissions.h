// Who may do what: roles, permissions and the one table between them. Owns nothing; any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::auth {

// What a token may do; the numbers are those of davit.registry.v1.Role, which documents them.
enum class Role {
  kViewer = 1,
  kDeveloper = 2,
  kAdmin = 3,
  kAgent = 10,
  kGateway = 11,
  kRuleEngine = 12,
  kScheduler = 13,
  kConsole = 14,
};

// "viewer", "developer", …, as in messages, files and flags.
absl::string_view RoleName(Role role);

// The role of that name; INVALID_ARGUMENT lists the names.
absl::StatusOr<Role> ParseRole(absl::string_view name);

// The role with that number in davit.registry.v1.Role; INVALID_ARGUMENT if there is none.
absl::StatusOr<Role> RoleFromNumber(int number);

// What an RPC asks for. Each RPC names exactly one; the proto files say which roles that is.
enum class Permission {
  kAny,                       // GetCaller: whoever holds a valid token.
  kRead,                      // Get and List of everything but secrets.
  kReadSource,                // ListRefs, GetCommit.
  kWriteConnections,          // Connections and their webhooks.
  kRemoveWebhooks,            // RemoveWebhook.
  kWriteRegistryCredentials,  // Registry credentials.
  kWriteSecrets,              // Secrets of the project.
  kWriteRules,                // Rules.
  kTriggerRules,              // TriggerRule.
  kCreateBuilds,              // CreateBuild.
  kRunBuilds,                 // UploadContext, CancelBuild, RetryBuild.
  kManageTokens,              // API tokens.
  kReadAuditLog,              // ListSecretAccesses.
  kOperateSystem,             // Agents, limits: an admin of all projects.
  kIntrospectTokens,          // IntrospectToken.
  kReadWebhookSecrets,        // GetWebhookSecret.
  kIngestEvents,              // IngestEvent.
  kGrantBuildCredentials,     // GrantBuildCredentials, RevokeBuildCredentials.
  kIssueBuildCredentials,     // IssueBuildCredentials.
  kIssuePublishCredentials,   // IssuePublishCredentials.
  kWorkBuilds,                // AgentService.
  kReportStatus,              // SetCommitStatus and other notifications.
};

// What the permission allows, to follow "may not": "write rules".
absl::string_view PermissionName(Permission permission);

// Whether the role holds the permission (for kOperateSystem the caller must belong to all projects, too; CallGuard sees
// to it).
bool Allows(Role role, Permission permission);

}  // namespace davit::auth
