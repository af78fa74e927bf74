// Implements build_spec.h.
#include "services/scheduler/build_spec.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/time_util.h"
#include "libs/ids/ids.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::scheduler {
namespace {

constexpr int kMaxTags = 20;
constexpr int kMaxArguments = 100;
constexpr size_t kMaxArgumentBytes = 4096;
constexpr size_t kMaxPathBytes = 1024;
constexpr int64_t kDefaultTimeoutSeconds = 3600;
constexpr int64_t kMaxTimeoutSeconds = 24 * 3600;

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

bool IsName(absl::string_view text, absl::string_view extra) {
  if (text.empty() || absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) return false;
  return std::all_of(text.begin(), text.end(), [extra](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains(extra, c);
  });
}

bool IsCommit(absl::string_view text) {
  return text.size() == 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

// The rules of git-check-ref-format that matter here: nothing that could be an option, a range or a control sequence.
bool IsRef(absl::string_view text) {
  if (text.size() > 255 || HasControl(text) || absl::StartsWith(text, "-") || absl::StrContains(text, ".."))
    return false;
  if (absl::StrContains(text, "/-") || absl::StrContains(text, "@{") || absl::EndsWith(text, "/")) return false;
  return text.find_first_of(" ~^:?*[\\") == absl::string_view::npos;
}

absl::Status NormalizeGit(v1::GitSource& git) {
  if (!IsId("con", git.connection_id())) return Wrong("spec.git.connection_id", "a connection's id, con_…, is needed");
  const std::string& repository = git.repository();
  const std::vector<std::string> parts = absl::StrSplit(repository, '/');
  const bool odd_part = std::any_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.empty() || part == "." || part == ".." || absl::StartsWith(part, "-");
  });
  if (repository.size() > 255 || odd_part || HasControl(repository) ||
      repository.find_first_of(" ?#%\\@:") != std::string::npos) {
    return Wrong("spec.git.repository", "the path below the connection's URL is needed, for example owner/name");
  }
  if (!IsRef(git.ref())) return Wrong("spec.git.ref", "invalid ref");
  if (!git.commit().empty() && !IsCommit(git.commit())) {
    return Wrong("spec.git.commit", "40 lower-case hexadecimal digits are needed, or nothing");
  }
  if (!git.commit().empty() && !git.ref().empty() && !absl::StartsWith(git.ref(), "refs/")) {
    return Wrong("spec.git.ref", "beside a commit a full ref is needed, for example refs/heads/main");
  }
  return absl::OkStatus();
}

absl::Status CheckArguments(const davit::common::v1::Recipe& recipe) {
  if (recipe.build_args_size() > kMaxArguments) {
    return Wrong("spec.recipe.build_args", absl::StrCat("at most ", kMaxArguments, " are allowed"));
  }
  for (const auto& [name, value] : recipe.build_args()) {
    const std::string field = absl::StrCat("spec.recipe.build_args[", name, "]");
    if (!IsName(name, "_")) return Wrong("spec.recipe.build_args", "names are [A-Za-z_][A-Za-z0-9_]*");
    if (value.size() > kMaxArgumentBytes) return Wrong(field, absl::StrCat("over ", kMaxArgumentBytes, " bytes"));
  }
  if (recipe.labels_size() > kMaxArguments) {
    return Wrong("spec.recipe.labels", absl::StrCat("at most ", kMaxArguments, " are allowed"));
  }
  for (const auto& [name, value] : recipe.labels()) {
    if (name.empty() || name.size() > 255 || HasControl(name)) {
      return Wrong("spec.recipe.labels", "names have 1 to 255 printable characters");
    }
    if (value.size() > kMaxArgumentBytes) {
      return Wrong(absl::StrCat("spec.recipe.labels[", name, "]"), absl::StrCat("over ", kMaxArgumentBytes, " bytes"));
    }
  }
  return absl::OkStatus();
}

absl::Status NormalizeTimeout(davit::common::v1::Recipe& recipe) {
  google::protobuf::Duration& timeout = *recipe.mutable_timeout();
  if (timeout.seconds() == 0 && timeout.nanos() == 0) timeout.set_seconds(kDefaultTimeoutSeconds);
  if (timeout.seconds() < 0 || timeout.nanos() < 0 || timeout.seconds() > kMaxTimeoutSeconds) {
    return Wrong("spec.recipe.timeout", "0 (1 hour) to 24 hours are allowed");
  }
  return absl::OkStatus();
}

absl::Status NormalizeRecipe(davit::common::v1::Recipe& recipe) {
  if (recipe.dockerfile_path().empty()) recipe.set_dockerfile_path("Dockerfile");
  const absl::StatusOr<std::string> dockerfile = NormalizePath(recipe.dockerfile_path());
  DAVIT_RETURN_IF_ERROR(Annotate(dockerfile.status(), "spec.recipe.dockerfile_path"));
  if (*dockerfile == ".") return Wrong("spec.recipe.dockerfile_path", "a file is needed");
  recipe.set_dockerfile_path(*dockerfile);
  if (recipe.context_dir().empty()) recipe.set_context_dir(".");
  const absl::StatusOr<std::string> context = NormalizePath(recipe.context_dir());
  DAVIT_RETURN_IF_ERROR(Annotate(context.status(), "spec.recipe.context_dir"));
  recipe.set_context_dir(*context);
  if (recipe.target().size() > 128 || HasControl(recipe.target()) || absl::StrContains(recipe.target(), ' ')) {
    return Wrong("spec.recipe.target", "the name of a stage is needed, or nothing");
  }
  if (!recipe.platform().empty()) {
    const std::vector<std::string> parts = absl::StrSplit(recipe.platform(), '/');
    const bool named =
        std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return IsName(part, "_.-"); });
    if (parts.size() < 2 || parts.size() > 3 || !named) {
      return Wrong("spec.recipe.platform", "os/arch[/variant] is needed, for example linux/amd64");
    }
  }
  DAVIT_RETURN_IF_ERROR(CheckArguments(recipe));
  return NormalizeTimeout(recipe);
}

absl::Status NormalizeDestination(davit::common::v1::ImageDestination& destination) {
  constexpr absl::string_view kField = "spec.destination.repository";
  const absl::StatusOr<oci::Reference> reference = oci::Reference::Parse(destination.repository());
  DAVIT_RETURN_IF_ERROR(Annotate(reference.status(), kField));
  if (!reference->tag.empty() || !reference->digest.empty()) {
    return Wrong(kField, absl::StrCat("invalid image reference: a name without tag and digest is needed, not ",
                                      destination.repository()));
  }
  destination.set_repository(reference->Name());
  const std::string& credential = destination.registry_credential_id();
  if (!credential.empty() && !IsId("rcr", credential)) {
    return Wrong("spec.destination.registry_credential_id", "a registry credential's id, rcr_…, is needed, or nothing");
  }
  return absl::OkStatus();
}

absl::Status NormalizeTags(v1::BuildSpec& spec) {
  if (spec.tags_size() > kMaxTags) return Wrong("spec.tags", absl::StrCat("at most ", kMaxTags, " are allowed"));
  std::vector<std::string> tags;
  std::set<std::string> known;
  for (int i = 0; i < spec.tags_size(); ++i) {
    DAVIT_RETURN_IF_ERROR(Annotate(oci::CheckTag(spec.tags(i)), absl::StrCat("spec.tags[", i, "]")));
    if (known.insert(spec.tags(i)).second) tags.push_back(spec.tags(i));
  }
  spec.mutable_tags()->Assign(tags.begin(), tags.end());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> NormalizePath(absl::string_view path) {
  if (path.size() > kMaxPathBytes) return absl::InvalidArgumentError("path over 1024 bytes");
  if (HasControl(path)) return absl::InvalidArgumentError("path with control characters");
  if (absl::StartsWith(path, "/")) return absl::InvalidArgumentError("path leaves the repository");
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return absl::InvalidArgumentError("path leaves the repository");
    } else {
      parts.pop_back();
    }
  }
  return parts.empty() ? std::string(".") : absl::StrJoin(parts, "/");
}

absl::Status NormalizeSpec(v1::BuildSpec& spec) {
  switch (spec.source_case()) {
    case v1::BuildSpec::kGit:
      DAVIT_RETURN_IF_ERROR(NormalizeGit(*spec.mutable_git()));
      break;
    case v1::BuildSpec::kUpload:
      if (!IsId("upl", spec.upload().upload_id())) {
        return Wrong("spec.upload.upload_id", "the id that UploadContext gave, upl_…, is needed");
      }
      break;
    case v1::BuildSpec::SOURCE_NOT_SET:
      return Wrong("spec", "a source is needed: git or upload");
  }
  DAVIT_RETURN_IF_ERROR(NormalizeRecipe(*spec.mutable_recipe()));
  DAVIT_RETURN_IF_ERROR(NormalizeDestination(*spec.mutable_destination()));
  return NormalizeTags(spec);
}

void DescribeSpec(const v1::BuildSpec& spec, NewBuild& build) {
  build.spec = spec.SerializeAsString();
  build.image_repository = spec.destination().repository();
  build.registry_credential_id = spec.destination().registry_credential_id();
  build.connection_id = spec.git().connection_id();
  build.repository = spec.git().repository();
  build.ref = spec.git().ref();
  build.commit = spec.git().commit();
  build.upload_id = spec.upload().upload_id();
  build.tags.assign(spec.tags().begin(), spec.tags().end());
  build.timeout = absl::Nanoseconds(google::protobuf::util::TimeUtil::DurationToNanoseconds(spec.recipe().timeout()));
}

std::string RegistryOf(const v1::BuildSpec& spec) {
  const absl::StatusOr<oci::Reference> reference = oci::Reference::Parse(spec.destination().repository());
  return reference.ok() ? reference->registry : std::string();
}

}  // namespace davit::scheduler
