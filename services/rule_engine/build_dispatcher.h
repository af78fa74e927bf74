// Brings orders from the outbox to the scheduler. Owns nothing; its Dispatch is called by one loop per replica.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/rule_engine/build_outbox.h"

namespace davit::rule_engine {

// The scheduler, as far as the rule engine needs it. Implementations are thread-safe.
class BuildCreator {
 public:
  virtual ~BuildCreator() = default;

  // Hands over a serialized davit.scheduler.v1.CreateBuildRequest and returns the build's id. Repeating a request_id
  // returns the same build.
  virtual absl::StatusOr<std::string> CreateBuild(const std::string& request) = 0;
};

// Sends orders until the scheduler has them or refuses them for good. An order whose sender dies after the scheduler
// took it is sent again under the same request id, which makes no second build.
class BuildDispatcher {
 public:
  // How long a claim lasts; longer than sending kBatch orders can take.
  static constexpr absl::Duration kClaim = absl::Seconds(20);
  // Orders taken at a time.
  static constexpr int kBatch = 4;
  // How long the scheduler may take for one.
  static constexpr absl::Duration kCallTimeout = absl::Seconds(4);

  // All references must outlive the dispatcher.
  BuildDispatcher(BuildOutbox& outbox, BuildCreator& scheduler, RandomSource& random, Logger logger,
                  metrics::Registry& metrics);

  // Sends one batch and returns how many orders it held. Errors of the store are returned; those of the scheduler are
  // not.
  absl::StatusOr<int> Dispatch();

  // Whether the scheduler's answer can never become another: the request itself is wrong, or names what does not exist.
  static bool IsRefusal(const absl::Status& status);

 private:
  absl::Status Send(const ClaimedOrder& order);

  BuildOutbox& outbox_;
  BuildCreator& scheduler_;
  RandomSource& random_;
  Logger logger_;
  metrics::Counter sent_;
  metrics::Counter refused_;
  metrics::Counter postponed_;
};

}  // namespace davit::rule_engine
