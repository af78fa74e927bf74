// The ledger in PostgreSQL. Thread-safe; owns nothing but its references.
#pragma once

#include <string>

#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/postgres/pool.h"
#include "services/rule_engine/event_ledger.h"

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
  postgres::Pool& pool_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::rule_engine
