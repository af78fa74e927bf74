// Implements build_credential_broker.h.
#include "services/token_registry/build_credential_broker.h"

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/registry_credential_directory.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

// How long the mark of a revocation is kept: longer than any call can be on its way.
constexpr absl::Duration kRevocationKept = absl::Hours(24);

// Secrets of one build at most.
constexpr size_t kMaxSecrets = 20;

absl::Status Superseded(int64_t fence) {
  return absl::FailedPreconditionError(absl::StrCat("lease superseded by fence ", fence));
}

absl::Status Ended(const std::string& build_id) {
  return absl::FailedPreconditionError(absl::StrCat("the grant of build ", build_id, " has ended"));
}

absl::Status CheckHolder(const std::string& build_id, int64_t fence) {
  if (build_id.empty() || build_id.size() > 64) return absl::InvalidArgumentError("build_id: must be the build's id");
  if (fence <= 0) return absl::InvalidArgumentError("fence: must be over 0");
  return absl::OkStatus();
}

// Whether a grant may be stored, given the one that is there.
absl::Status DecideGrant(const BuildGrant& grant, const BuildGrant* existing) {
  if (existing == nullptr) return absl::OkStatus();
  if (grant.fence < existing->fence) return Superseded(existing->fence);
  if (grant.fence <= existing->revoked_fence) return Ended(grant.build_id);
  if (grant.fence == existing->fence && !(grant.scope == existing->scope)) {
    return absl::FailedPreconditionError(
        absl::StrCat("fence ", grant.fence, " of build ", grant.build_id, " was granted with another scope"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BuildCredentialBroker::Grant(const BuildGrant& grant) {
  DAVIT_RETURN_IF_ERROR(CheckHolder(grant.build_id, grant.fence));
  if (grant.expire_time <= clock_.Now()) return absl::InvalidArgumentError("expire_time: must be in the future");
  DAVIT_RETURN_IF_ERROR(CheckScope(grant.project, grant.scope));
  return store_.PutBuildGrant(grant, [&grant](const BuildGrant* existing) { return DecideGrant(grant, existing); });
}

absl::Status BuildCredentialBroker::CheckScope(const std::string& project, const BuildCredentialScope& scope) {
  if (scope.connection_id.empty() != scope.repository.empty()) {
    return absl::InvalidArgumentError("scope.repository: give a connection and a repository, or neither");
  }
  if (!scope.connection_id.empty()) {
    DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("scope.repository", scope.repository));
    DAVIT_RETURN_IF_ERROR(store_.GetConnection(project, scope.connection_id).status());
  }
  std::string registry;
  if (!scope.registry_credential_id.empty()) {
    DAVIT_ASSIGN_OR_RETURN(const RegistryCredential credential,
                           store_.GetRegistryCredential(project, scope.registry_credential_id));
    registry = credential.registry;
  }
  if (scope.secrets.size() > kMaxSecrets) {
    return absl::InvalidArgumentError(absl::StrCat("scope.secrets: more than ", kMaxSecrets));
  }
  for (const std::string& name : scope.secrets) DAVIT_RETURN_IF_ERROR(secrets_.CheckExists(project, name));
  return CheckImageRepository("scope.image_repository", scope.image_repository, registry);
}

absl::Status BuildCredentialBroker::Revoke(const std::string& project, const std::string& build_id, int64_t fence) {
  DAVIT_RETURN_IF_ERROR(CheckHolder(build_id, fence));
  return store_.RevokeBuildGrant(project, build_id, fence, clock_.Now() + kRevocationKept);
}

absl::StatusOr<BuildCredentials> BuildCredentialBroker::IssueForBuild(const auth::Caller& caller,
                                                                      const std::string& build_id, int64_t fence) {
  DAVIT_RETURN_IF_ERROR(CheckHolder(build_id, fence));
  DAVIT_ASSIGN_OR_RETURN(const BuildGrant grant, store_.GetBuildGrant(caller.project, build_id));
  if (fence < grant.fence) return Superseded(grant.fence);
  if (fence <= grant.revoked_fence) return Ended(build_id);
  if (fence > grant.fence) {
    return absl::NotFoundError(absl::StrCat("no credentials were granted to build ", build_id, " with fence ", fence));
  }
  if (grant.expire_time <= clock_.Now()) return Ended(build_id);
  BuildCredentials credentials;
  credentials.expire_time = grant.expire_time;
  if (!grant.scope.connection_id.empty()) {
    DAVIT_ASSIGN_OR_RETURN(credentials.source, OpenSource(caller, grant));
  }
  if (!grant.scope.registry_credential_id.empty()) {
    DAVIT_ASSIGN_OR_RETURN(credentials.registry,
                           OpenRegistry(caller, grant.project, grant.scope.registry_credential_id, "build", build_id));
  }
  for (const std::string& name : grant.scope.secrets) {
    DAVIT_ASSIGN_OR_RETURN(crypto::SecretString value, secrets_.OpenForBuild(caller, grant.project, name, build_id));
    credentials.secrets.emplace_back(name, std::move(value));
  }
  return credentials;
}

absl::StatusOr<RegistryAccess> BuildCredentialBroker::IssueForPublishing(const auth::Caller& caller,
                                                                         const std::string& project,
                                                                         const std::string& build_id,
                                                                         const std::string& registry_credential_id,
                                                                         const std::string& image_repository) {
  DAVIT_ASSIGN_OR_RETURN(const RegistryCredential credential,
                         store_.GetRegistryCredential(project, registry_credential_id));
  DAVIT_RETURN_IF_ERROR(CheckImageRepository("image_repository", image_repository, credential.registry));
  return OpenRegistry(caller, project, registry_credential_id, "publish", build_id);
}

absl::StatusOr<SourceAccess> BuildCredentialBroker::OpenSource(const auth::Caller& caller, const BuildGrant& grant) {
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(grant.project, grant.scope.connection_id));
  SourceAccess access;
  access.clone_url = CloneUrl(connection, grant.scope.repository);
  access.username = connection.username;
  access.provider = connection.provider;
  DAVIT_ASSIGN_OR_RETURN(access.password, tokens_.Open(caller, connection, "build", grant.build_id));
  return access;
}

absl::StatusOr<RegistryAccess> BuildCredentialBroker::OpenRegistry(const auth::Caller& caller,
                                                                   const std::string& project,
                                                                   const std::string& credential_id,
                                                                   absl::string_view purpose,
                                                                   const std::string& build_id) {
  DAVIT_ASSIGN_OR_RETURN(const RegistryCredential credential, store_.GetRegistryCredential(project, credential_id));
  RegistryAccess access{credential.registry, credential.username, {}};
  if (credential.username.empty()) return access;
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed, store_.GetRegistryPassword(project, credential_id));
  DAVIT_ASSIGN_OR_RETURN(access.password, vault_.Open(RegistryCredentialDirectory::PasswordPlace(credential), sealed,
                                                      caller, purpose, build_id));
  return access;
}

}  // namespace davit::token_registry
