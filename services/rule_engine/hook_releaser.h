// Removes installed webhooks with the last rule of their repository. Owns nothing; Step is called by one loop per
// replica.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/logging/logger.h"
#include "services/rule_engine/hook_releases.h"

namespace davit::rule_engine {

// A webhook that the provider refuses to remove (the token is no longer valid, say) is left there with a line in the
// log; whatever may pass is tried again, less and less often. A rule that is made in the moment of the removal finds
// its webhook gone: EnsureWebhook installs it again, and the reconciler finds the pushes until then.
class HookReleaser {
 public:
  // How long a claim lasts; longer than a removal can take.
  static constexpr absl::Duration kClaim = absl::Minutes(2);

  // All but the logger must outlive this.
  HookReleaser(HookReleases& releases, HookRemover& remover, Logger logger)
      : releases_(releases), remover_(remover), logger_(std::move(logger)) {}

  // Handles one release; returns whether there was one. Errors are the store's.
  absl::StatusOr<bool> Step();

  // The wait before the attempt after `failures` failed ones: 10 s, doubled each time, at most an hour.
  static absl::Duration DelayAfter(int failures);

 private:
  HookReleases& releases_;
  HookRemover& remover_;
  const Logger logger_;
};

}  // namespace davit::rule_engine
