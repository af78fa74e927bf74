// The checks of build policies. Owns nothing; stateless.
#include "libs/recipe/policy.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"

namespace davit::recipe {
namespace {

constexpr int kMaxPriority = 100;
constexpr int kMaxConcurrent = 100;
constexpr int kMaxRetries = 10;
constexpr size_t kMaxGroupBytes = 100;
constexpr int64_t kMaxReuseSeconds = int64_t{30} * 24 * 3600;

absl::Status Invalid(absl::string_view field, absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ".", name, ": ", what));
}

bool IsGroupName(absl::string_view name) {
  return name.size() <= kMaxGroupBytes && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::StrContains("._/-", absl::string_view(&c, 1));
         });
}

absl::Status NormalizeReuseWindow(absl::string_view field, common::v1::BuildPolicy& policy) {
  const google::protobuf::Duration& window = policy.reuse_window();
  if (window.nanos() != 0 || window.seconds() < 0 || window.seconds() > kMaxReuseSeconds) {
    return Invalid(field, "reuse_window", "not whole seconds from 0 (never) to 720h (30 days)");
  }
  if (window.seconds() == 0) policy.clear_reuse_window();
  return absl::OkStatus();
}

}  // namespace

absl::Status NormalizePolicy(absl::string_view field, common::v1::BuildPolicy& policy) {
  if (policy.priority() < -kMaxPriority || policy.priority() > kMaxPriority) {
    return Invalid(field, "priority", "outside -100 (last) to 100 (first); 0 is normal");
  }
  if (!common::v1::SupersedePolicy_IsValid(policy.supersede())) {
    return Invalid(field, "supersede",
                   "accepted: SUPERSEDE_POLICY_OFF, SUPERSEDE_POLICY_SKIP_QUEUED, SUPERSEDE_POLICY_CANCEL_RUNNING");
  }
  if (policy.supersede() == common::v1::SUPERSEDE_POLICY_OFF) policy.clear_supersede();
  if (!IsGroupName(policy.concurrency_group())) {
    return Invalid(field, "concurrency_group", "up to 100 letters, digits, '.', '_', '/' and '-' are accepted");
  }
  if (policy.max_concurrent() < 0 || policy.max_concurrent() > kMaxConcurrent) {
    return Invalid(field, "max_concurrent", "outside 1 to 100 (0 = as many as the project may)");
  }
  DAVIT_RETURN_IF_ERROR(NormalizeReuseWindow(field, policy));
  if (policy.infrastructure_retries() < 0 || policy.infrastructure_retries() > kMaxRetries) {
    return Invalid(field, "infrastructure_retries",
                   absl::StrCat("outside 0 to 10 (unset = ", kDefaultInfrastructureRetries, ")"));
  }
  return absl::OkStatus();
}

}  // namespace davit::recipe
