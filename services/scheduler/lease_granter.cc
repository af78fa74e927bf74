// Implements lease_granter.h.
#include "services/scheduler/lease_granter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "davit/scheduler/v1/build.pb.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::scheduler {
namespace {

// What a grant lasts longer than the attempt: its last push may be under way. It is revoked when the lease ends anyway.
constexpr absl::Duration kGrantMargin = absl::Minutes(5);

}  // namespace

LeaseGranter::LeaseGranter(TokenRegistryClient& token_registry, LeaseStore& leases, UploadStore& uploads, Clock& clock,
                           Logger logger)
    : token_registry_(token_registry), leases_(leases), uploads_(uploads), clock_(clock), logger_(std::move(logger)) {}

absl::StatusOr<std::vector<HeldLease>> LeaseGranter::Grant(std::vector<HeldLease> leases,
                                                           std::vector<EndedAttempt>& changed) {
  std::vector<HeldLease> leaving;
  std::vector<HeldLease> fresh;
  for (HeldLease& lease : leases) {
    if (lease.granted) {
      leaving.push_back(std::move(lease));
      continue;
    }
    const absl::Status granted = GrantOne(lease);
    if (!granted.ok()) {
      Undo(lease, granted, changed);
      continue;
    }
    fresh.push_back(std::move(lease));
  }
  if (!fresh.empty()) DAVIT_RETURN_IF_ERROR(leases_.MarkGranted(fresh));
  for (HeldLease& lease : fresh) leaving.push_back(std::move(lease));
  return leaving;
}

absl::Status LeaseGranter::GrantOne(const HeldLease& lease) {
  v1::BuildSpec spec;
  if (!spec.ParseFromString(lease.spec)) return absl::DataLossError("the stored specification cannot be read");
  if (!lease.upload_id.empty()) {
    const absl::Status kept = uploads_.Get(lease.project, lease.upload_id).status();
    DAVIT_RETURN_IF_ERROR(Annotate(kept, "the upload is not kept any more"));
  }
  GrantScope scope;
  scope.connection_id = spec.git().connection_id();
  scope.repository = spec.git().repository();
  scope.registry_credential_id = spec.destination().registry_credential_id();
  scope.image_repository = spec.destination().repository();
  for (const davit::common::v1::RecipeSecret& secret : spec.recipe().secrets()) {
    if (std::find(scope.secrets.begin(), scope.secrets.end(), secret.secret()) == scope.secrets.end()) {
      scope.secrets.push_back(secret.secret());
    }
  }
  return token_registry_.Grant(lease.project, lease.build_id, lease.fence, scope,
                               clock_.Now() + lease.remaining + kGrantMargin);
}

void LeaseGranter::Undo(const HeldLease& lease, const absl::Status& why, std::vector<EndedAttempt>& changed) {
  logger_.Warning("cannot give a build to an agent",
                  {{"build", lease.build_id}, {"fence", lease.fence}, {"error", why}});
  AttemptReport report;
  report.build_id = lease.build_id;
  report.fence = lease.fence;
  // What is gone will not come back by waiting.
  const bool final = absl::IsNotFound(why) || absl::IsInvalidArgument(why) || absl::IsDataLoss(why);
  report.end = final ? AttemptEnd::kFailedUser : AttemptEnd::kNotStarted;
  report.message = absl::StrCat("the build cannot be given to an agent: ", std::string(why.message()));
  if (final) report.log_expected = 0;
  absl::StatusOr<EndedAttempt> ended = leases_.End(report);
  if (ended.ok()) changed.push_back(*std::move(ended));
}

}  // namespace davit::scheduler
