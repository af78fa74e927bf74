// What a build shares with others of its rule, inside the transaction of whoever decides: its group, in which newer
// builds supersede older ones, and the slots of a rule that may run only so many at a time. Everything here needs the
// project's lane locked, which makes all of it one after the other for each project. Used by the PostgreSQL stores.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/postgres/transaction.h"
#include "services/scheduler/store/records.h"
#include "services/scheduler/store/transitions.h"

namespace davit::scheduler {

// Locks a new build's lane if what it shares needs that from the start: then builds that supersede each other get their
// sequences in the order in which they hold the lane, and each sees all that came before.
absl::Status LockSharedLane(postgres::Transaction& transaction, const NewBuild& build, int default_max_running);

// Makes a new build, which is stored, a member of its group, and ends or stops older members as the build says; returns
// those. What is pushed already goes on.
absl::StatusOr<std::vector<std::string>> JoinGroup(postgres::Transaction& transaction, const NewBuild& build,
                                                   int64_t sequence, int default_max_running);

// Puts a new build into its lane, or lets it wait for a slot of its rule.
absl::Status EnterQueue(postgres::Transaction& transaction, const NewBuild& build, int64_t sequence,
                        int default_max_running);

// Takes a waiting build out of wherever it waits; returns whether it was there.
absl::StatusOr<bool> StopWaiting(postgres::Transaction& transaction, const LaneOfBuild& lane);

// A build has ended or is pushed: it leaves its group, and its rule's slot goes to the next.
absl::Status LeaveShared(postgres::Transaction& transaction, const LockedBuild& build, int default_max_running);

}  // namespace davit::scheduler
