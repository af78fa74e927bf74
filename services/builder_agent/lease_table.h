// What an agent holds: the state machine behind Synchronize. Knows no threads, clocks or calls; for one thread at a
// time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "davit/scheduler/v1/agent_service.pb.h"

namespace davit::builder_agent {

// Names a lease.
struct LeaseKey {
  std::string build_id;
  int64_t fence = 0;

  friend auto operator<=>(const LeaseKey&, const LeaseKey&) = default;
};

// What the agent has to do after something has changed.
struct LeaseChanges {
  // Builds to begin.
  std::vector<scheduler::v1::Lease> start;
  // Builds to stop; they report that they were cancelled.
  std::vector<LeaseKey> cancel;
  // Builds to stop at once and say no more of: their lease is gone.
  std::vector<LeaseKey> forget;
};

// Holds the leases, their phases and results. Times are of the agent's monotonic clock.
class LeaseTable {
 public:
  // Takes a response to a request that was sent at `sent_at`.
  LeaseChanges Apply(const scheduler::v1::SynchronizeResponse& response, absl::Duration sent_at);

  // Drops the leases that have run out by `now`: the agent fences itself. Should the scheduler list one of them again,
  // it is given back rather than begun a second time under the same fence.
  LeaseChanges Expire(absl::Duration now);

  // Drops every lease.
  LeaseChanges Clear();

  // Records where a build is, how it ended, or that it is given back. Ignored when the lease is gone already; the first
  // end counts.
  void SetPhase(const LeaseKey& key, scheduler::v1::BuildPhase phase);
  void SetResult(const LeaseKey& key, scheduler::v1::BuildResult result);
  void SetReturned(const LeaseKey& key);

  // One report for every lease.
  std::vector<scheduler::v1::LeaseReport> Reports() const;

  bool empty() const { return held_.empty(); }

  // When the next lease runs out; InfiniteDuration when there is none.
  absl::Duration NextExpiry() const;

 private:
  struct Held {
    absl::Duration expires;
    scheduler::v1::BuildPhase phase = scheduler::v1::BUILD_PHASE_UNSPECIFIED;
    bool cancelling = false;
    bool returned = false;
    std::optional<scheduler::v1::BuildResult> result;
  };

  std::map<LeaseKey, Held> held_;
  // Leases that ran out here and that the scheduler may not know to be gone yet.
  std::set<LeaseKey> fenced_;
};

}  // namespace davit::builder_agent
