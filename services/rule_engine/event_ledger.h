// The ledger of received events, and the transaction in which an event is evaluated. An interface; implementations are
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/rule_engine/event.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// What Ingest and RecordManual did.
struct Recorded {
  // The event of this delivery: the new one, or the one from before.
  std::string event_id;
  bool duplicate = false;
};

// A page of events with where the next one begins.
struct EventPage {
  std::vector<Event> events;
  // The place behind the last event; 0 when there is nothing more.
  int64_t next = 0;
};

// How many of something wait, and for how long the oldest has.
struct Waiting {
  int64_t count = 0;
  absl::Duration oldest;
};

// Everything that was received, and what became of it. Events of other projects are NOT_FOUND.
class EventLedger {
 public:
  // Decides what becomes of an event. Called inside a transaction that may be repeated: it must have no effects.
  using Evaluate = absl::FunctionRef<Evaluation(const Event&, absl::Span<const Rule>)>;

  virtual ~EventLedger() = default;

  // Stores a webhook's event with a new id, as kReceived or kIgnored, with its detail. Durable when it returns. A
  // delivery id that the source has used before changes nothing and gives the event of then.
  virtual absl::StatusOr<Recorded> Ingest(const Event& event) = 0;

  // Stores a manual event that carries its id (made by NewEventId) together with its explanation and order, as
  // evaluated; else as Ingest.
  virtual absl::StatusOr<Recorded> RecordManual(const Event& event, const Outcome& outcome) = 0;
  virtual std::string NewEventId() = 0;

  // The event of a source's delivery; NOT_FOUND.
  virtual absl::StatusOr<Event> FindDelivery(const std::string& project, const std::string& source_id,
                                             const std::string& delivery_id) = 0;

  // One event with its explanations.
  virtual absl::StatusOr<Event> Get(const std::string& project, const std::string& id) = 0;

  // At most `limit` events, newest first, without explanations. `repository` "" = of all, else case does not count;
  // `before` 0 = from the newest, else EventPage::next of the page before.
  virtual absl::StatusOr<EventPage> List(const std::string& project, const std::string& repository, int64_t before,
                                         int limit) = 0;

  // Evaluates at most `limit` received events of all projects, the oldest first and those of one ref one after the
  // other, in one transaction that writes explanations, orders and states together: whatever dies, each event takes
  // effect once. A rule that has already asked for a build of the same ref and commit gets kAlreadyBuilt instead of its
  // order. Returns how many events were evaluated. Any number of replicas may call it at once.
  virtual absl::StatusOr<int> EvaluateReceived(int limit, Evaluate evaluate) = 0;

  // Events that wait to be evaluated, of all projects.
  virtual absl::StatusOr<Waiting> CountReceived() = 0;
};

}  // namespace davit::rule_engine
