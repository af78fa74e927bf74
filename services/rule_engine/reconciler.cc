// The looks of the reconciler.
#include "services/rule_engine/reconciler.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {
namespace {

constexpr char kLooksMetric[] = "davit_rule_engine_repository_looks_total";
constexpr char kLooksHelp[] = "Comparisons of a repository's refs with the ledger, by how they ended.";
// Clocks of providers and ours may differ, and events are received while a look lasts.
constexpr absl::Duration kOverlap = absl::Hours(1);

// Only what a push can be of.
RemoteHeads KeepBranchesAndTags(RemoteHeads remote) {
  for (auto head = remote.commits.begin(); head != remote.commits.end();) {
    const bool kept = GitRef::Parse(head->first).ok() && IsCommitId(head->second);
    head = kept ? std::next(head) : remote.commits.erase(head);
  }
  return remote;
}

}  // namespace

Reconciler::Reconciler(Options options, RepositoryWatches& watches, EventLedger& ledger, SourceDirectory& directory,
                       Clock& clock, Logger logger, metrics::Registry& metrics, std::function<void()> on_missed)
    : options_(options),
      watches_(watches),
      ledger_(ledger),
      directory_(directory),
      clock_(clock),
      logger_(std::move(logger)),
      on_missed_(std::move(on_missed)),
      next_sync_(clock.Monotonic()),
      watched_(
          metrics.GetGauge("davit_rule_engine_repositories_watched", "Repositories with rules that pushes trigger.")),
      looks_(metrics.GetCounter(kLooksMetric, kLooksHelp, {{"result", "ok"}})),
      failures_(metrics.GetCounter(kLooksMetric, kLooksHelp, {{"result", "failed"}})),
      missed_(metrics.GetCounter("davit_rule_engine_events_reconciled_total", "Pushes whose webhook did not come.")) {}

absl::StatusOr<bool> Reconciler::Step() {
  if (clock_.Monotonic() >= next_sync_) {
    DAVIT_ASSIGN_OR_RETURN(const int64_t count, watches_.Sync());
    watched_.Set(static_cast<double>(count));
    next_sync_ = clock_.Monotonic() + std::min(kSyncInterval, options_.interval);
  }
  DAVIT_ASSIGN_OR_RETURN(const std::optional<RepositoryWatch> watch, watches_.Claim(kLease, options_.connection_gap));
  if (!watch.has_value()) return false;
  absl::StatusOr<RemoteHeads> remote = directory_.ListHeads(watch->project, watch->connection_id, watch->repository);
  if (remote.ok()) {
    DAVIT_RETURN_IF_ERROR(Look(*watch, KeepBranchesAndTags(*std::move(remote))));
    looks_.Increment();
  } else {
    failures_.Increment();
    logger_.Warning("could not compare a repository with the ledger, will try again",
                    {{"project", watch->project}, {"repository", watch->repository}, {"error", remote.status()}});
    const absl::Duration doubled = options_.interval * (int64_t{1} << std::min(watch->failures + 1, 16));
    DAVIT_RETURN_IF_ERROR(watches_.Fail(*watch, std::string(remote.status().message()),
                                        std::min(doubled, std::max(kLongestWait, options_.interval))));
  }
  clock_.SleepFor(options_.pause);
  return true;
}

absl::Status Reconciler::Look(const RepositoryWatch& watch, const RemoteHeads& remote) {
  if (!watch.look_time.has_value()) return watches_.Finish(watch, FirstLook(remote), options_.interval).status();
  DAVIT_ASSIGN_OR_RETURN(const WatchedHeads known, watches_.Heads(watch));
  std::set<std::pair<std::string, std::string>> told;
  const std::vector<std::string> changed = ChangedRefs(known, remote);
  if (!changed.empty()) {
    DAVIT_ASSIGN_OR_RETURN(told, ledger_.PushesOfRefs(watch.project, watch.connection_id, watch.repository, changed,
                                                      *watch.look_time - kOverlap));
  }
  const Comparison comparison = CompareHeads(known, remote, told, options_.grace);
  // Before the heads are recorded: who dies in between ingests again, under the same delivery ids.
  for (const MissedPush& missed : comparison.missed) DAVIT_RETURN_IF_ERROR(Ingest(watch, missed));
  if (!comparison.missed.empty()) on_missed_();
  return watches_
      .Finish(watch, comparison.changes,
              comparison.waiting ? std::min(options_.grace, options_.interval) : options_.interval)
      .status();
}

absl::Status Reconciler::Ingest(const RepositoryWatch& watch, const MissedPush& missed) {
  Event event;
  event.project = watch.project;
  event.kind = EventKind::kReconciled;
  event.connection_id = watch.connection_id;
  event.source_id = watch.connection_id;
  event.delivery_id = absl::StrCat(watch.name_key, " ", missed.ref, " ", missed.after);
  event.push.set_repository(watch.repository);
  event.push.set_ref(missed.ref);
  event.push.set_before(missed.before.empty() ? std::string(40, '0') : missed.before);
  event.push.set_after(missed.after);
  event.push.set_commits_truncated(true);
  DAVIT_ASSIGN_OR_RETURN(const Recorded recorded, ledger_.Ingest(event));
  if (recorded.duplicate) return absl::OkStatus();
  missed_.Increment();
  logger_.Info("found a push whose webhook did not come", {{"event", recorded.event_id}, {"ref", missed.ref}});
  return absl::OkStatus();
}

}  // namespace davit::rule_engine
