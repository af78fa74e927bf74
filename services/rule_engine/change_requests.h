// Pushes whose changed paths are to be asked for. An interface; implementations are thread-safe.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/rule_engine/event.h"

namespace davit::rule_engine {

// A push that waits for its changed paths.
struct ChangeRequest {
  std::string event_id;
  std::string project;
  std::string connection_id;
  std::string repository;
  std::string before;
  std::string after;
  // How often it was asked for, this time included, and since when.
  int attempts = 0;
  absl::Duration age;
};

// The ledger asks (see EventLedger::EvaluateReceived); whoever claims answers. An event with an answer is evaluated.
class ChangeRequests {
 public:
  virtual ~ChangeRequests() = default;

  // Takes a request that is due; others do not get it for `claim`. nullopt: none is due.
  virtual absl::StatusOr<std::optional<ChangeRequest>> Claim(absl::Duration claim) = 0;

  // Answers; an answer that is there already stays.
  virtual absl::Status Answer(const ChangeRequest& request, const ChangedPaths& changes) = 0;

  // Lets it be claimed again after `delay`.
  virtual absl::Status Postpone(const ChangeRequest& request, absl::Duration delay) = 0;
};

}  // namespace davit::rule_engine
