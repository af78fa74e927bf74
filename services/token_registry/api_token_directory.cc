// Implements api_token_directory.h.
#include "services/token_registry/api_token_directory.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/crypto/hash.h"
#include "libs/crypto/token.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

constexpr absl::string_view kPrefix = "dvt_";

bool IsRoleOfAPerson(auth::Role role) {
  return role == auth::Role::kViewer || role == auth::Role::kDeveloper || role == auth::Role::kAdmin;
}

}  // namespace

bool HasTokenForm(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kPrefix) || text.size() < 32 || text.size() > 128) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '_') return false;
  }
  return true;
}

absl::StatusOr<std::pair<ApiToken, crypto::SecretString>> ApiTokenDirectory::Create(const auth::Caller& caller,
                                                                                    ApiToken draft) {
  DAVIT_RETURN_IF_ERROR(CheckDisplayName(draft.display_name));
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  if (draft.expire_time <= now) return absl::InvalidArgumentError("expire_time: has passed");
  if (!IsRoleOfAPerson(draft.role) && !caller.of_all_projects()) {
    return absl::PermissionDeniedError(absl::StrCat("role: a token of role ", auth::RoleName(draft.role),
                                                    " can only be made by an admin of all projects"));
  }
  draft.id = NewId("tok", clock_, random_);
  draft.create_time = now;
  crypto::SecretString text = crypto::RandomToken(random_, kPrefix);
  DAVIT_RETURN_IF_ERROR(store_.InsertApiToken(draft, crypto::Sha256(text.Reveal())));
  return std::make_pair(std::move(draft), std::move(text));
}

absl::StatusOr<ApiToken> ApiTokenDirectory::Find(absl::string_view text) {
  const absl::Status unknown = absl::NotFoundError("token not found");
  // What cannot be a token does not reach the database.
  if (!HasTokenForm(text)) return unknown;
  const absl::Time now = clock_.Now();
  DAVIT_ASSIGN_OR_RETURN(ApiToken token, store_.UseApiToken(crypto::Sha256(text), now));
  if (!token.IsActive(now)) return unknown;
  return token;
}

absl::StatusOr<ApiToken> ApiTokenDirectory::Revoke(const std::string& project, const std::string& id) {
  return store_.RevokeApiToken(project, id, clock_.Now());
}

absl::StatusOr<std::string> ResolveTokenProject(const auth::Caller& caller, absl::string_view requested) {
  if (requested != auth::kAllProjects) return auth::ResolveProject(caller, requested);
  if (caller.of_all_projects()) return std::string(auth::kAllProjects);
  return absl::PermissionDeniedError("project: tokens of all projects need an admin of all projects");
}

}  // namespace davit::token_registry
