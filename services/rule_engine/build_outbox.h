// The orders that the scheduler does not have for certain. An interface; implementations are thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/rule_engine/event_ledger.h"

namespace davit::rule_engine {

// An order that the caller has claimed and must finish, refuse or postpone before its claim ends.
struct ClaimedOrder {
  int64_t id = 0;
  std::string project;
  std::string rule_id;
  std::string event_id;
  // The serialized davit.scheduler.v1.CreateBuildRequest.
  std::string request;
  // Tries, this one included.
  int attempts = 0;
};

// The outbox. Orders leave it only by Finish and Refuse; those of one rule and ref in the order in which they came.
class BuildOutbox {
 public:
  virtual ~BuildOutbox() = default;

  // Takes at most `limit` due orders for `claim`; after that an order is due again, so that a sender may die.
  virtual absl::StatusOr<std::vector<ClaimedOrder>> Claim(int limit, absl::Duration claim) = 0;

  // The scheduler has the build: shows its id with the event. Finishing what has left changes nothing.
  virtual absl::Status Finish(int64_t id, const std::string& build_id) = 0;

  // The scheduler will never take it: shows why with the event, and lets a later push of the same commit try again.
  virtual absl::Status Refuse(int64_t id, const std::string& why) = 0;

  // Makes it due again in `delay`; `error` is kept for operators.
  virtual absl::Status Postpone(int64_t id, absl::Duration delay, const std::string& error) = 0;

  // Orders in the outbox, of all projects.
  virtual absl::StatusOr<Waiting> Count() = 0;
};

}  // namespace davit::rule_engine
