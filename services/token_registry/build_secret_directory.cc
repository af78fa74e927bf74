// Implements build_secret_directory.h.
#include "services/token_registry/build_secret_directory.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/ids/ids.h"
#include "libs/recipe/recipe.h"
#include "libs/status/status_macros.h"

namespace davit::token_registry {
namespace {

constexpr size_t kMaxValueBytes = 64 << 10;
constexpr size_t kMaxDescriptionBytes = 200;

absl::Status CheckDescription(absl::string_view field, absl::string_view description) {
  const bool printable =
      std::none_of(description.begin(), description.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); });
  if (printable && description.size() <= kMaxDescriptionBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": up to 200 bytes without control characters are accepted"));
}

absl::Status CheckValue(const crypto::SecretString& value) {
  const size_t size = value.Reveal().size();
  if (size > 0 && size <= kMaxValueBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("value: 1 byte to 64 KiB is accepted; this has ", size));
}

// Where a value is sealed for.
SecretPlace PlaceOf(const BuildSecret& secret) { return {secret.project, secret.id, "value"}; }

}  // namespace

absl::StatusOr<BuildSecret> BuildSecretDirectory::Create(BuildSecret draft, const crypto::SecretString& value) {
  if (!recipe::IsSecretName(draft.name)) {
    return absl::InvalidArgumentError(absl::StrCat("secret.name: ", recipe::kSecretNameAccepted));
  }
  DAVIT_RETURN_IF_ERROR(CheckDescription("secret.description", draft.description));
  DAVIT_RETURN_IF_ERROR(CheckValue(value));
  draft.id = NewId("sec", clock_, random_);
  draft.version = 1;
  draft.create_time = draft.update_time = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed, vault_.Seal(PlaceOf(draft), value));
  DAVIT_RETURN_IF_ERROR(store_.Insert(draft, sealed));
  return draft;
}

absl::StatusOr<BuildSecret> BuildSecretDirectory::Update(const std::string& project, const std::string& name,
                                                         const std::optional<crypto::SecretString>& value,
                                                         const std::optional<std::string>& description) {
  if (!value.has_value() && !description.has_value()) {
    return absl::InvalidArgumentError("value: nothing to change; give a value, a description or both");
  }
  if (value.has_value()) DAVIT_RETURN_IF_ERROR(CheckValue(*value));
  if (description.has_value()) DAVIT_RETURN_IF_ERROR(CheckDescription("description", *description));
  DAVIT_ASSIGN_OR_RETURN(const BuildSecret secret, store_.Get(project, name));
  BuildSecretChange change;
  change.description = description;
  change.update_time = clock_.Now();
  if (value.has_value()) {
    DAVIT_ASSIGN_OR_RETURN(change.value, vault_.Seal(PlaceOf(secret), *value));
  }
  return store_.Update(secret, change);
}

absl::Status BuildSecretDirectory::CheckExists(const std::string& project, const std::string& name) {
  return store_.Get(project, name).status();
}

absl::StatusOr<crypto::SecretString> BuildSecretDirectory::OpenForBuild(const auth::Caller& caller,
                                                                        const std::string& project,
                                                                        const std::string& name,
                                                                        absl::string_view build_id) {
  DAVIT_ASSIGN_OR_RETURN(const auto found, store_.GetWithValue(project, name));
  return vault_.Open(PlaceOf(found.first), found.second, caller, "build", build_id);
}

}  // namespace davit::token_registry
