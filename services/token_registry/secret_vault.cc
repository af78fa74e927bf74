// Implements secret_vault.h.
#include "services/token_registry/secret_vault.h"

#include "absl/strings/str_cat.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::token_registry {
namespace {

std::string AssociatedData(const SecretPlace& place) {
  return absl::StrCat(place.project, "|", place.record_id, "|", place.field);
}

}  // namespace

absl::StatusOr<crypto::SealedSecret> SecretVault::Seal(const SecretPlace& place, const crypto::SecretString& secret) {
  return crypto::Seal(*keys_, random_, secret, AssociatedData(place));
}

absl::StatusOr<crypto::SecretString> SecretVault::Open(const SecretPlace& place, const crypto::SealedSecret& sealed,
                                                       const auth::Caller& caller, absl::string_view purpose,
                                                       absl::string_view build_id) {
  SecretAccess access;
  access.at = clock_.Now();
  access.project = place.project;
  access.token_id = caller.token_id;
  access.request = caller.request_id;
  access.record_id = place.record_id;
  access.field = place.field;
  access.purpose = std::string(purpose);
  access.build_id = std::string(build_id);
  DAVIT_RETURN_IF_ERROR(Annotate(store_.RecordSecretAccess(access), "Failed to record the access to a secret"));
  absl::StatusOr<crypto::SecretString> secret = crypto::Open(*keys_, sealed, AssociatedData(place));
  if (absl::IsUnavailable(secret.status())) return secret.status();
  if (!secret.ok()) {
    return absl::InternalError(
        absl::StrCat("Failed to open the ", place.field, " of ", place.record_id, ": ", secret.status().message()));
  }
  return secret;
}

absl::StatusOr<KeyRotation> SecretVault::RotateBatch(int limit) {
  KeyRotation rotation;
  rotation.key_id = keys_->primary_id();
  DAVIT_ASSIGN_OR_RETURN(const std::vector<StoredSecret> secrets, store_.ListForeignSecrets(rotation.key_id, limit));
  for (const StoredSecret& secret : secrets) {
    const absl::StatusOr<crypto::SealedSecret> rewrapped =
        crypto::Rewrap(*keys_, secret.sealed, AssociatedData({secret.project, secret.id, secret.field}));
    if (absl::IsUnavailable(rewrapped.status())) return rewrapped.status();
    if (!rewrapped.ok()) {
      return absl::FailedPreconditionError(absl::StrCat("the ", secret.field, " of ", secret.id, " is wrapped by key ",
                                                        secret.sealed.key_id, ": ", rewrapped.status().message()));
    }
    DAVIT_RETURN_IF_ERROR(store_.Rewrap(secret, rewrapped->key_id, rewrapped->wrapped_key));
    ++rotation.rewrapped;
  }
  DAVIT_ASSIGN_OR_RETURN(rotation.remaining, store_.CountForeignSecrets(rotation.key_id));
  return rotation;
}

}  // namespace davit::token_registry
