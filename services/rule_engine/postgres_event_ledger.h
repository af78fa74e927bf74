// The ledger in PostgreSQL. Thread-safe; owns nothing but its references.
#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/postgres/pool.h"
#include "services/rule_engine/event_ledger.h"
#include "services/rule_engine/recent_events.h"

namespace davit::rule_engine {

// See EventLedger.
class PostgresEventLedger : public EventLedger {
 public:
  // All parameters must outlive the ledger; clock and random make ids.
  PostgresEventLedger(postgres::Pool& pool, Clock& clock, RandomSource& random)
      : pool_(pool), clock_(clock), random_(random) {}

  absl::StatusOr<std::vector<Recorded>> IngestAll(const std::string& project,
                                                  absl::Span<const Event* const> events) override;
  absl::StatusOr<Recorded> RecordManual(const Event& event, const Outcome& outcome) override;
  std::string NewEventId() override;
  absl::StatusOr<Event> FindDelivery(const std::string& project, const std::string& source_id,
                                     const std::string& delivery_id) override;
  absl::StatusOr<Event> Get(const std::string& project, const std::string& id) override;
  absl::StatusOr<EventPage> List(const std::string& project, const EventFilter& filter, int64_t before,
                                 int limit) override;
  absl::StatusOr<int> EvaluateReceived(int limit, Evaluate evaluate) override;
  absl::StatusOr<int> Replay(const std::string& project, const std::string& id, const ReplayOptions& options,
                             Evaluate evaluate) override;
  absl::StatusOr<int> DeleteOld(absl::Duration age, int limit) override;
  absl::StatusOr<std::set<std::pair<std::string, std::string>>> PushesOfRefs(const std::string& project,
                                                                             const std::string& connection_id,
                                                                             const std::string& repository,
                                                                             const std::vector<std::string>& refs,
                                                                             absl::Time since) override;
  absl::StatusOr<Waiting> CountReceived() override;

 private:
  // Some seconds' worth of many deliveries.
  static constexpr size_t kRecentEvents = 2048;

  // Where in the queue the next claim begins: where the last one did find something, and now and then at its beginning,
  // for what was passed by.
  int64_t ClaimFrom() ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteClaimed(int64_t first) ABSL_LOCKS_EXCLUDED(mutex_);

  postgres::Pool& pool_;
  Clock& clock_;
  RandomSource& random_;
  RecentEvents recent_{kRecentEvents};
  absl::Mutex mutex_;
  int64_t claimed_from_ ABSL_GUARDED_BY(mutex_) = 0;
  int claims_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace davit::rule_engine
