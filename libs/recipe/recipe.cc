// The checks of recipes and destinations. Owns nothing; stateless.
#include "libs/recipe/recipe.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/ids/ids.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::recipe {
namespace {

constexpr size_t kMaxPathBytes = 1024;
constexpr int kMaxEntries = 100;
constexpr int kMaxSecrets = 20;
constexpr size_t kMaxValueBytes = 4096;
constexpr size_t kMaxNameBytes = 128;
constexpr size_t kMaxSecretNameBytes = 64;
constexpr int64_t kDefaultTimeoutSeconds = 3600;
constexpr int64_t kMaxTimeoutSeconds = 24 * 3600;

absl::Status Invalid(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); });
}

bool IsArgumentName(absl::string_view name) {
  const auto letter = [](char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; };
  return !name.empty() && name.size() <= kMaxNameBytes && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [letter](char c) { return letter(c) || absl::ascii_isdigit(c); });
}

// A label's key as docker takes it: not empty, no blanks, '=' or control characters.
bool IsLabelKey(absl::string_view key) {
  return !key.empty() && key.size() <= kMaxNameBytes && !HasControl(key) && !absl::StrContains(key, " ") &&
         !absl::StrContains(key, "=");
}

bool IsStageName(absl::string_view stage) {
  return stage.size() <= kMaxNameBytes && absl::ascii_isalnum(static_cast<unsigned char>(stage[0])) &&
         std::all_of(stage.begin(), stage.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
         });
}

bool IsPlatform(absl::string_view platform) {
  const std::vector<absl::string_view> parts = absl::StrSplit(platform, '/');
  return platform.size() <= kMaxNameBytes && (parts.size() == 2 || parts.size() == 3) &&
         std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
             return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(c) || c == '_' ||
                    c == '.';
           });
         });
}

absl::Status NormalizePath(absl::string_view field, absl::string_view otherwise, std::string* path) {
  absl::StatusOr<std::string> canonical = CanonicalPath(path->empty() ? otherwise : *path);
  if (!canonical.ok()) return Annotate(canonical.status(), field);
  *path = *std::move(canonical);
  return absl::OkStatus();
}

template <typename Entries, typename IsName>
absl::Status CheckEntries(absl::string_view field, const Entries& entries, IsName is_name, absl::string_view accepted) {
  if (entries.size() > kMaxEntries) return Invalid(field, absl::StrCat("more than ", kMaxEntries, " entries"));
  for (const auto& [name, value] : entries) {
    if (!is_name(name)) return Invalid(absl::StrCat(field, "[\"", name.substr(0, 64), "\"]"), accepted);
    if (value.size() > kMaxValueBytes) {
      return Invalid(absl::StrCat(field, "[\"", name, "\"]"), absl::StrCat("value over ", kMaxValueBytes, " bytes"));
    }
    if (absl::StrContains(value, absl::string_view("\0", 1))) {
      return Invalid(absl::StrCat(field, "[\"", name, "\"]"), "value holds a NUL byte");
    }
  }
  return absl::OkStatus();
}

absl::Status NormalizeSecrets(absl::string_view field, common::v1::Recipe& recipe) {
  if (recipe.secrets_size() > kMaxSecrets) return Invalid(field, absl::StrCat("more than ", kMaxSecrets, " secrets"));
  std::set<absl::string_view> ids;
  for (int i = 0; i < recipe.secrets_size(); ++i) {
    common::v1::RecipeSecret& secret = *recipe.mutable_secrets(i);
    const std::string path = absl::StrCat(field, "[", i, "]");
    if (secret.secret().empty()) secret.set_secret(secret.id());
    if (!IsSecretName(secret.id())) return Invalid(absl::StrCat(path, ".id"), kSecretNameAccepted);
    if (!IsSecretName(secret.secret())) return Invalid(absl::StrCat(path, ".secret"), kSecretNameAccepted);
    if (!ids.insert(secret.id()).second) {
      return Invalid(absl::StrCat(path, ".id"), absl::StrCat("\"", secret.id(), "\" is there twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status NormalizeTimeout(absl::string_view field, common::v1::Recipe& recipe) {
  google::protobuf::Duration& timeout = *recipe.mutable_timeout();
  if (timeout.seconds() == 0 && timeout.nanos() == 0) {
    timeout.set_seconds(kDefaultTimeoutSeconds);
    return absl::OkStatus();
  }
  const bool in_range =
      timeout.seconds() >= 1 && timeout.nanos() >= 0 && timeout.nanos() < 1'000'000'000 &&
      (timeout.seconds() < kMaxTimeoutSeconds || (timeout.seconds() == kMaxTimeoutSeconds && timeout.nanos() == 0));
  if (!in_range) return Invalid(field, "outside 1 second to 24 hours (0 = 1 hour)");
  return absl::OkStatus();
}

}  // namespace

bool IsSecretName(absl::string_view name) {
  const auto word = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !name.empty() && name.size() <= kMaxSecretNameBytes && word(name[0]) &&
         std::all_of(name.begin(), name.end(), [word](char c) { return word(c) || c == '.' || c == '-'; });
}

absl::StatusOr<std::string> CanonicalPath(absl::string_view path) {
  if (path.size() > kMaxPathBytes) {
    return absl::InvalidArgumentError(absl::StrCat("path longer than ", kMaxPathBytes, " bytes"));
  }
  if (HasControl(path)) return absl::InvalidArgumentError("path holds a control character");
  const absl::Status leaves = absl::InvalidArgumentError(
      "path leaves the repository; it is relative to the repository's root, for example services/api/Dockerfile");
  if (absl::StartsWith(path, "/")) return leaves;
  std::vector<absl::string_view> components;
  for (const absl::string_view component : absl::StrSplit(path, '/')) {
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      if (components.empty()) return leaves;
      components.pop_back();
      continue;
    }
    components.push_back(component);
  }
  return components.empty() ? "." : absl::StrJoin(components, "/");
}

absl::Status Normalize(absl::string_view field, common::v1::Recipe& recipe) {
  const auto path = [field](absl::string_view name) { return absl::StrCat(field, ".", name); };
  DAVIT_RETURN_IF_ERROR(NormalizePath(path("dockerfile_path"), "Dockerfile", recipe.mutable_dockerfile_path()));
  if (recipe.dockerfile_path() == ".") {
    return Invalid(path("dockerfile_path"), "names a directory; name the file, for example Dockerfile");
  }
  DAVIT_RETURN_IF_ERROR(NormalizePath(path("context_dir"), ".", recipe.mutable_context_dir()));
  if (!recipe.target().empty() && !IsStageName(recipe.target())) {
    return Invalid(path("target"), "not a stage's name (letters, digits, '_', '-', '.')");
  }
  if (!recipe.platform().empty() && !IsPlatform(recipe.platform())) {
    return Invalid(path("platform"), "not of the form os/arch[/variant], for example linux/amd64");
  }
  DAVIT_RETURN_IF_ERROR(CheckEntries(path("build_args"), recipe.build_args(), IsArgumentName,
                                     "not the name of an argument ([A-Za-z_][A-Za-z0-9_]*)"));
  DAVIT_RETURN_IF_ERROR(CheckEntries(path("labels"), recipe.labels(), IsLabelKey,
                                     "not a label's key (1 to 128 bytes without blanks and '=')"));
  DAVIT_RETURN_IF_ERROR(NormalizeSecrets(path("secrets"), recipe));
  return NormalizeTimeout(path("timeout"), recipe);
}

absl::Status NormalizeDestination(absl::string_view field, common::v1::ImageDestination& destination) {
  const std::string path = absl::StrCat(field, ".repository");
  if (destination.repository().empty()) {
    return Invalid(
        path,
        "invalid image reference: it is empty; expected REGISTRY/REPOSITORY, for example 127.0.0.1:5000/team/app");
  }
  const absl::StatusOr<oci::Reference> reference = oci::Reference::Parse(destination.repository());
  if (!reference.ok()) return Annotate(reference.status(), path);
  if (!reference->tag.empty() || !reference->digest.empty()) {
    return Invalid(
        path, absl::StrCat("invalid image reference: \"", reference->tag.empty() ? reference->digest : reference->tag,
                           "\" must not be there; the destination has no tag and no digest"));
  }
  destination.set_repository(reference->Name());
  if (!destination.registry_credential_id().empty() && !IsId("rcr", destination.registry_credential_id())) {
    return Invalid(absl::StrCat(field, ".registry_credential_id"), "not the id of a registry credential (rcr_…)");
  }
  return absl::OkStatus();
}

}  // namespace davit::recipe
