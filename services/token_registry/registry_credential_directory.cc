// Implements registry_credential_directory.h.
#include "services/token_registry/registry_credential_directory.h"

#include "libs/ids/ids.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {

absl::StatusOr<RegistryCredential> RegistryCredentialDirectory::Create(RegistryCredential draft,
                                                                       const crypto::SecretString& password) {
  DAVIT_RETURN_IF_ERROR(CheckDisplayName(draft.display_name));
  DAVIT_RETURN_IF_ERROR(Annotate(oci::CheckRegistry(draft.registry), "registry"));
  DAVIT_RETURN_IF_ERROR(CheckUsername(draft.username));
  if (draft.username.empty() != password.empty()) {
    return absl::InvalidArgumentError(
        "password: give a username and a password, or neither for a registry without authentication");
  }
  if (!password.empty()) DAVIT_RETURN_IF_ERROR(CheckPassword(password));
  const absl::Status tried = provider_.VerifyRegistryCredential(draft, password);
  if (absl::IsInvalidArgument(tried)) return Annotate(tried, "registry");
  if (!tried.ok()) return tried;
  draft.id = NewId("rcr", clock_, random_);
  draft.create_time = draft.update_time = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed, vault_.Seal(PasswordPlace(draft), password));
  DAVIT_RETURN_IF_ERROR(store_.InsertRegistryCredential(draft, sealed));
  return draft;
}

SecretPlace RegistryCredentialDirectory::PasswordPlace(const RegistryCredential& credential) {
  return {credential.project, credential.id, "password"};
}

}  // namespace davit::token_registry
