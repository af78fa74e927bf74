// The ledger of received events, and the transaction in which an event is evaluated. An interface; implementations are
// thread-safe.
#pragma once

#include <cstdint>
#include <set>
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
  // The place of each event: where a page that ends with it goes on.
  std::vector<int64_t> places;
  // The place behind the last event; 0 when there is nothing more.
  int64_t next = 0;
};

// How many of something wait, and for how long the oldest has.
struct Waiting {
  int64_t count = 0;
  absl::Duration oldest;
};

// Which events to list.
struct EventFilter {
  // Empty = of all.
  std::string connection_id = {};
  // Empty = of all; case does not count.
  std::string repository = {};
  // In full or a short name; empty = of all.
  std::string ref = {};
  // Empty = of all.
  std::string delivery_id = {};
  // Empty = in any.
  std::vector<EventState> states = {};
  // Empty = of any.
  std::vector<EventKind> kinds = {};
  // Received at `start` or later and before `end`.
  absl::Time start = absl::InfinitePast();
  absl::Time end = absl::InfiniteFuture();
};

// Whether a replay builds what was built before.
enum class Rebuild { kNo, kForced };

// How an event is evaluated again.
struct ReplayOptions {
  Rebuild rebuild = Rebuild::kNo;
  // Who asked, for people.
  std::string requested_by;
  // Makes a forced replay repeatable: the same text gives the same builds.
  std::string request_id;
};

// Everything that was received, and what became of it. Events of other projects are NOT_FOUND.
class EventLedger {
 public:
  // Decides what becomes of an event. Called inside a transaction that may be repeated: it must have no effects.
  using Evaluate = absl::FunctionRef<Evaluation(const Event&, absl::Span<const Rule>)>;

  virtual ~EventLedger() = default;

  // Stores webhooks' events of one project with new ids, as kReceived or kIgnored, with their details, in this order
  // and in one transaction: all or none, durable when it returns. A delivery id that the source has used before changes
  // nothing and gives the event of then. One answer for each.
  virtual absl::StatusOr<std::vector<Recorded>> IngestAll(const std::string& project,
                                                          absl::Span<const Event* const> events) = 0;

  // The same for one event.
  absl::StatusOr<Recorded> Ingest(const Event& event);

  // The same, but what cannot be stored fails alone.
  std::vector<absl::StatusOr<Recorded>> IngestEach(const std::string& project, absl::Span<const Event* const> events);

  // Stores a manual event that carries its id (made by NewEventId) together with its explanation and order, as
  // evaluated; else as IngestAll. ABORTED: the order's number is not the rule's next any more.
  virtual absl::StatusOr<Recorded> RecordManual(const Event& event, const Outcome& outcome) = 0;
  virtual std::string NewEventId() = 0;

  // The event of a source's delivery; NOT_FOUND.
  virtual absl::StatusOr<Event> FindDelivery(const std::string& project, const std::string& source_id,
                                             const std::string& delivery_id) = 0;

  // One event with its explanations.
  virtual absl::StatusOr<Event> Get(const std::string& project, const std::string& id) = 0;

  // At most `limit` events, newest first, without explanations. `before` 0 = from the newest, else EventPage::next of
  // the page before.
  virtual absl::StatusOr<EventPage> List(const std::string& project, const EventFilter& filter, int64_t before,
                                         int limit) = 0;

  // Evaluates at most `limit` received events of all projects, the oldest first and those of one ref one after the
  // other, in one transaction that writes explanations, orders and states together: whatever dies, each event takes
  // effect once. A rule that has already asked for a build of the same ref and commit gets kAlreadyBuilt instead of its
  // order. An event whose evaluation wants changes stays received, and waits until they were asked for
  // (change_requests.h). Returns how many events were looked at. Any number of replicas may call it at once.
  virtual absl::StatusOr<int> EvaluateReceived(int limit, Evaluate evaluate) = 0;

  // Evaluates a past event again in one transaction: builds what matches and was not built, or with kForced whatever
  // matches; the explanation of a build that this event has made stays unless another is made. Returns how many builds
  // were ordered; 0 for an event that waits to be evaluated. FAILED_PRECONDITION: a manual event.
  virtual absl::StatusOr<int> Replay(const std::string& project, const std::string& id, const ReplayOptions& options,
                                     Evaluate evaluate) = 0;

  // Removes at most `limit` events of all projects that were received more than `age` ago, the oldest first, with their
  // explanations; never one that waits to be evaluated or whose build the scheduler does not have. What rules have
  // built stays known. Returns how many.
  virtual absl::StatusOr<int> DeleteOld(absl::Duration age, int limit) = 0;

  // The pairs of ref and commit that events of these refs, received since then and not by hand, have told of.
  virtual absl::StatusOr<std::set<std::pair<std::string, std::string>>> PushesOfRefs(
      const std::string& project, const std::string& connection_id, const std::string& repository,
      const std::vector<std::string>& refs, absl::Time since) = 0;

  // Events that wait to be evaluated, of all projects.
  virtual absl::StatusOr<Waiting> CountReceived() = 0;
};

}  // namespace davit::rule_engine
