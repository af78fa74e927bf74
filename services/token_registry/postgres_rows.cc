// Implements postgres_rows.h.
#include "services/token_registry/postgres_rows.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/postgres/error.h"
#include "libs/postgres/transaction.h"

namespace davit::token_registry {
namespace {

using postgres::ReadBytes;
using postgres::ReadText;
using postgres::ReadTime;

Connection::State StateOf(absl::string_view word) {
  if (word == StateWord(Connection::State::kActive)) return Connection::State::kActive;
  if (word == StateWord(Connection::State::kExpiring)) return Connection::State::kExpiring;
  return Connection::State::kInvalid;
}

}  // namespace

Connection ReadConnection(const pqxx::row& row) {
  Connection connection;
  connection.id = ReadText(row["id"]);
  connection.project = ReadText(row["project"]);
  connection.display_name = ReadText(row["display_name"]);
  connection.provider = ProviderOf(ReadText(row["provider"]));
  connection.base_url = ReadText(row["base_url"]);
  connection.username = ReadText(row["username"]);
  connection.probe_repository = ReadText(row["probe_repository"]);
  connection.credential_kind =
      ReadText(row["credential_kind"]) == CredentialKindWord(Connection::CredentialKind::kOAuth)
          ? Connection::CredentialKind::kOAuth
          : Connection::CredentialKind::kAccessToken;
  connection.renews = row["renews"].as<bool>();
  connection.state = StateOf(ReadText(row["state"]));
  connection.state_reason = ReadText(row["state_reason"]);
  connection.account = ReadText(row["account"]);
  connection.scopes = absl::StrSplit(ReadText(row["scopes"]), ' ', absl::SkipEmpty());
  connection.missing_scopes = absl::StrSplit(ReadText(row["missing_scopes"]), '\n', absl::SkipEmpty());
  connection.verify_time = ReadTime(row["verify_time"], absl::InfinitePast());
  connection.token_expire_time = ReadTime(row["token_expire_time"], absl::InfiniteFuture());
  connection.create_time = ReadTime(row["create_time"]);
  connection.update_time = ReadTime(row["update_time"]);
  return connection;
}

RegistryCredential ReadRegistryCredential(const pqxx::row& row) {
  RegistryCredential credential;
  credential.id = ReadText(row["id"]);
  credential.project = ReadText(row["project"]);
  credential.display_name = ReadText(row["display_name"]);
  credential.registry = ReadText(row["registry"]);
  credential.username = ReadText(row["username"]);
  credential.create_time = ReadTime(row["create_time"]);
  credential.update_time = ReadTime(row["update_time"]);
  return credential;
}

Webhook ReadWebhook(const pqxx::row& row) {
  Webhook webhook;
  webhook.id = ReadText(row["id"]);
  webhook.project = ReadText(row["project"]);
  webhook.connection_id = ReadText(row["connection_id"]);
  webhook.repository = ReadText(row["repository"]);
  webhook.provider = ProviderOf(ReadText(row["provider"]));
  webhook.managed = row["managed"].as<bool>();
  webhook.provider_hook_id = ReadText(row["provider_hook_id"]);
  webhook.create_time = ReadTime(row["create_time"]);
  return webhook;
}

ApiToken ReadApiToken(const pqxx::row& row) {
  ApiToken token;
  token.id = ReadText(row["id"]);
  token.project = ReadText(row["project"]);
  token.display_name = ReadText(row["display_name"]);
  // The table admits known names only.
  token.role = auth::ParseRole(ReadText(row["role"])).value_or(auth::Role::kViewer);
  token.create_time = ReadTime(row["create_time"]);
  token.expire_time = ReadTime(row["expire_time"], absl::InfiniteFuture());
  token.revoke_time = ReadTime(row["revoke_time"], absl::InfiniteFuture());
  token.last_use_time = ReadTime(row["last_use_time"], absl::InfinitePast());
  return token;
}

BuildGrant ReadBuildGrant(const pqxx::row& row) {
  BuildGrant grant;
  grant.build_id = ReadText(row["build_id"]);
  grant.project = ReadText(row["project"]);
  grant.fence = row["fence"].as<int64_t>();
  grant.revoked_fence = row["revoked_fence"].as<int64_t>();
  grant.scope.connection_id = ReadText(row["connection_id"]);
  grant.scope.repository = ReadText(row["repository"]);
  grant.scope.registry_credential_id = ReadText(row["registry_credential_id"]);
  grant.scope.image_repository = ReadText(row["image_repository"]);
  grant.scope.secrets = absl::StrSplit(ReadText(row["secrets"]), ' ', absl::SkipEmpty());
  grant.expire_time = ReadTime(row["expire_time"]);
  return grant;
}

crypto::SealedSecret ReadSealed(const pqxx::row& row) {
  crypto::SealedSecret sealed;
  sealed.key_id = ReadText(row["sealed_key_id"]);
  sealed.wrapped_key = ReadBytes(row["sealed_wrapped_key"]);
  sealed.nonce = ReadBytes(row["sealed_nonce"]);
  sealed.ciphertext = ReadBytes(row["sealed_ciphertext"]);
  return sealed;
}

Provider ProviderOf(absl::string_view word) {
  if (word == ProviderWord(Provider::kGitHub)) return Provider::kGitHub;
  if (word == ProviderWord(Provider::kGitLab)) return Provider::kGitLab;
  return Provider::kGenericGit;
}

absl::string_view ProviderWord(Provider provider) {
  switch (provider) {
    case Provider::kGitHub:
      return "github";
    case Provider::kGitLab:
      return "gitlab";
    case Provider::kGenericGit:
      return "generic_git";
  }
  return "generic_git";
}

absl::string_view StateWord(Connection::State state) {
  switch (state) {
    case Connection::State::kActive:
      return "active";
    case Connection::State::kInvalid:
      return "invalid";
    case Connection::State::kExpiring:
      return "expiring";
  }
  return "invalid";
}

absl::string_view CredentialKindWord(Connection::CredentialKind kind) {
  return kind == Connection::CredentialKind::kOAuth ? "oauth" : "access_token";
}

std::optional<absl::Time> NullIfInfinite(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return std::nullopt;
  return time;
}

postgres::Scope ScopeOf(const std::string& project) {
  return project == "*" ? postgres::Scope::AllProjects() : postgres::Scope::Project(project);
}

absl::Status NameTaken(const absl::Status& status, absl::string_view constraint, absl::string_view display_name) {
  if (postgres::ViolatedConstraint(status) != constraint) return status;
  return absl::AlreadyExistsError(absl::StrCat("display_name: \"", display_name, "\" is taken; choose another"));
}

absl::Status NotFound(absl::string_view kind, absl::string_view id) {
  return absl::NotFoundError(absl::StrCat(kind, " not found: ", id));
}

}  // namespace davit::token_registry
