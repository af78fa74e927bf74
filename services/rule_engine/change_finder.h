// Asks providers which paths a push changed, when its webhook does not name them all. Used by WorkerLoops, several at a
// time.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/rule_engine/change_requests.h"
#include "services/rule_engine/source_directory.h"

namespace davit::rule_engine {

// Every request is answered sooner or later: when the provider cannot tell, or not within kPatience, with why it is not
// known, so that no push waits for ever. Thread-safe; owns nothing.
class ChangeFinder {
 public:
  // For how long a provider that does not answer is asked again.
  static constexpr absl::Duration kPatience = absl::Minutes(2);
  // How long a claim lasts; longer than asking can take.
  static constexpr absl::Duration kClaim = absl::Minutes(1);

  // All references must outlive this. `on_answered` is called after a request was answered.
  ChangeFinder(ChangeRequests& requests, SourceDirectory& directory, RandomSource& random, const Logger& logger,
               metrics::Registry& metrics, std::function<void()> on_answered);

  // Answers the request that is due first; returns whether there was one. Errors are those of the store.
  absl::StatusOr<bool> Step();

 private:
  absl::Status Answer(const ChangeRequest& request, const absl::StatusOr<ChangedPaths>& asked);

  ChangeRequests& requests_;
  SourceDirectory& directory_;
  RandomSource& random_;
  const Logger logger_;
  const std::function<void()> on_answered_;
  metrics::Counter known_;
  metrics::Counter unknown_;
  metrics::Counter postponed_;
};

}  // namespace davit::rule_engine
