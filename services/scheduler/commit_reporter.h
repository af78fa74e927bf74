// Tells providers what became of the builds of their commits. Each ReportNext is one round of a Loop; several loops, of
// several replicas, may work at once.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/scheduler/loop.h"
#include "services/scheduler/store/commit_status_store.h"

namespace davit::scheduler {

// What a provider is told. `state` is one of CommitState of davit.registry.v1.
struct CommitReport {
  std::string project;
  std::string connection_id;
  std::string repository;
  std::string commit;
  std::string ref;
  std::string context;
  int state = 0;
  std::string description;
  std::string target_url;
  std::string build_id;
};

// What came of telling it; the numbers are those of davit.registry.v1.SetCommitStatusResponse.Outcome.
enum class ReportOutcome { kSet = 1, kNotSupported = 2, kRefused = 3, kLimited = 4 };

struct ReportAnswer {
  ReportOutcome outcome = ReportOutcome::kSet;
  std::string reason;
  absl::Duration retry_after = absl::ZeroDuration();
};

// Works off the outbox: each context of a commit is told its newest state, one after the other. What a provider refuses
// ends with a note in the build's history; what cannot be told now is tried again with growing delays for a day.
class CommitReporter {
 public:
  using Tell = std::function<absl::StatusOr<ReportAnswer>(const CommitReport&)>;
  using Changed = std::function<void(const std::string& build_id)>;

  // How long one call may take in all; nobody tells the next state of a context before that is over or the call has
  // ended. Longer than `tell` and the provider's server can be under way together.
  static constexpr absl::Duration kHold = absl::Minutes(2);
  static constexpr absl::Duration kGiveUpAfter = absl::Hours(24);
  static constexpr absl::Duration kMaxDelay = absl::Minutes(10);

  // `public_url` is where people see builds (`URL/builds/ID`); empty: statuses have no link. `changed` runs after a
  // build's history was added to. All but the logger must outlive the reporter.
  CommitReporter(CommitStatusStore& store, Tell tell, Changed changed, const std::string& public_url, Logger logger,
                 metrics::Registry& metrics);

  // Tells one status, if one is due.
  Loop::Again ReportNext();

 private:
  CommitReport ReportOf(const CommitMark& mark) const;
  absl::Status Settle(const CommitMark& mark, const absl::StatusOr<ReportAnswer>& answer);
  absl::Status GiveUp(const CommitMark& mark, const std::string& why);

  CommitStatusStore& store_;
  const Tell tell_;
  const Changed changed_;
  const std::string public_url_;
  const Logger logger_;
  metrics::Counter told_;
  metrics::Counter refused_;
  metrics::Counter postponed_;
};

}  // namespace davit::scheduler
