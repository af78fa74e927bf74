// Implements build_spec.h.
#include "services/scheduler/build_spec.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/time_util.h"
#include "libs/crypto/hash.h"
#include "libs/ids/ids.h"
#include "libs/oci/reference.h"
#include "libs/recipe/recipe.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::scheduler {
namespace {

constexpr int kMaxTags = 20;
// As long as the refs of events may be.
constexpr size_t kMaxRefBytes = 1024;
// Between the kinds of groups: no rule's id and no group's name holds it.
constexpr char kSeparator[] = "\n";

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

bool IsCommit(absl::string_view text) {
  return text.size() == 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

// The rules of git-check-ref-format that matter here: nothing that could be an option, a range or a control sequence.
bool IsRef(absl::string_view text) {
  if (text.size() > kMaxRefBytes || HasControl(text) || absl::StartsWith(text, "-") || absl::StrContains(text, ".."))
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
  DAVIT_RETURN_IF_ERROR(recipe::Normalize("spec.recipe", *spec.mutable_recipe()));
  DAVIT_RETURN_IF_ERROR(recipe::NormalizeDestination("spec.destination", *spec.mutable_destination()));
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

void DescribePolicy(const davit::common::v1::BuildPolicy& policy, NewBuild& build) {
  build.policy = policy.SerializeAsString();
  // Smaller goes first in the queue.
  build.priority = -policy.priority();
  if (policy.has_infrastructure_retries()) build.infrastructure_retries = policy.infrastructure_retries();
  if (!build.rule_id.empty()) build.max_concurrent = policy.max_concurrent();
  if (policy.supersede() == davit::common::v1::SUPERSEDE_POLICY_SKIP_QUEUED) build.supersede = Supersede::kQueued;
  if (policy.supersede() == davit::common::v1::SUPERSEDE_POLICY_CANCEL_RUNNING) build.supersede = Supersede::kRunning;
  if (!policy.concurrency_group().empty()) {
    build.concurrency_key = crypto::Sha256(absl::StrCat("group", kSeparator, policy.concurrency_group()));
  } else if (!build.rule_id.empty() && !build.ref.empty()) {
    build.concurrency_key = crypto::Sha256(absl::StrCat("rule", kSeparator, build.rule_id, kSeparator, build.ref));
  }
}

std::string RegistryOf(const v1::BuildSpec& spec) {
  const absl::StatusOr<oci::Reference> reference = oci::Reference::Parse(spec.destination().repository());
  return reference.ok() ? reference->registry : std::string();
}

}  // namespace davit::scheduler
