// Finds pushes whose webhook never came, by comparing repositories' refs with the ledger. Owns nothing; its Step is
// called by one loop per replica.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/rule_engine/event_ledger.h"
#include "services/rule_engine/head_comparison.h"
#include "services/rule_engine/repository_watches.h"
#include "services/rule_engine/source_directory.h"

namespace davit::rule_engine {

// Looks at one repository at a time. The first look records where its refs point; a later one ingests, as events of
// EventKind::kReconciled, the heads that the ledger does not know and whose webhook has had `grace` to come. A webhook
// that comes even later makes no second build: (rule, ref, commit) is unique.
class Reconciler {
 public:
  struct Options {
    // Between two looks at a repository; failures double it, up to kLongestWait.
    absl::Duration interval = absl::Minutes(5);
    // For how long a push's webhook is waited for.
    absl::Duration grace = absl::Minutes(1);
    // Between two looks through one connection, by whatever replica.
    absl::Duration connection_gap = absl::Seconds(1);
    // Between two looks of this replica.
    absl::Duration pause = absl::Milliseconds(100);
  };
  // How long a claim lasts; longer than a look can take.
  static constexpr absl::Duration kLease = absl::Minutes(3);
  static constexpr absl::Duration kLongestWait = absl::Hours(1);
  // Between two reviews of what is to be watched; the interval at most.
  static constexpr absl::Duration kSyncInterval = absl::Minutes(1);

  // All references must outlive the reconciler. `on_missed` is called after events were ingested.
  Reconciler(Options options, RepositoryWatches& watches, EventLedger& ledger, SourceDirectory& directory, Clock& clock,
             Logger logger, metrics::Registry& metrics, std::function<void()> on_missed);

  // Looks at the repository that is due first; returns whether there was one. Errors are those of the store; a server
  // that does not answer is not one.
  absl::StatusOr<bool> Step();

 private:
  // Compares, ingests and records.
  absl::Status Look(const RepositoryWatch& watch, const RemoteHeads& remote);
  absl::Status Ingest(const RepositoryWatch& watch, const MissedPush& missed);

  const Options options_;
  RepositoryWatches& watches_;
  EventLedger& ledger_;
  SourceDirectory& directory_;
  Clock& clock_;
  const Logger logger_;
  const std::function<void()> on_missed_;
  absl::Duration next_sync_;
  metrics::Gauge watched_;
  metrics::Counter looks_;
  metrics::Counter failures_;
  metrics::Counter missed_;
};

}  // namespace davit::rule_engine
