// Grants the credentials of builds before their leases leave the scheduler. Stateless; usable from any thread.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/logging/logger.h"
#include "services/scheduler/store/lease_store.h"
#include "services/scheduler/store/upload_store.h"
#include "services/scheduler/token_registry_client.h"

namespace davit::scheduler {

// References must outlive the granter.
class LeaseGranter {
 public:
  LeaseGranter(TokenRegistryClient& token_registry, LeaseStore& leases, UploadStore& uploads, Clock& clock,
               Logger logger);

  // Returns the leases that may leave: those that were granted before and those that could be granted now. A lease that
  // could not be granted is undone without counting as an attempt; when the connection, the credential or the upload
  // is gone, the
  // build fails instead. `changed` gets the builds whose state changed.
  absl::StatusOr<std::vector<HeldLease>> Grant(std::vector<HeldLease> leases, std::vector<EndedAttempt>& changed);

 private:
  absl::Status GrantOne(const HeldLease& lease);
  void Undo(const HeldLease& lease, const absl::Status& why, std::vector<EndedAttempt>& changed);

  TokenRegistryClient& token_registry_;
  LeaseStore& leases_;
  UploadStore& uploads_;
  Clock& clock_;
  const Logger logger_;
};

}  // namespace davit::scheduler
