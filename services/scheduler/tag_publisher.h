// Works off publications: sets the tags of finished builds in order and ends the builds. Used by the publishing loops
// of any number of replicas at once; every function may be called from any thread.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/scheduler/loop.h"
#include "services/scheduler/store/tag_store.h"
#include "services/scheduler/tag_target.h"

namespace davit::scheduler {

// How publications are tried.
struct TagPublisherOptions {
  // How long a publication that is being worked on is left alone by others; what a crash costs.
  absl::Duration hold = absl::Seconds(15);
  // Waits between tries, growing from the first to the last.
  absl::Duration initial_delay = absl::Seconds(1);
  absl::Duration max_delay = absl::Minutes(1);
  // After so long of a registry that is away the build fails.
  absl::Duration give_up_after = absl::Minutes(30);
};

class TagPublisher {
 public:
  // `changed` is told each build that ended. References must outlive the publisher.
  TagPublisher(TagStore& tags, TagTargets& targets, RandomSource& random, TagPublisherOptions options,
               std::function<void(const std::string& build_id)> changed, Logger logger, metrics::Registry& metrics);

  // Works off one publication that is due.
  Loop::Again PublishNext();

 private:
  absl::Status SetTags(const Publication& publication);
  void Settle(const Publication& publication, const absl::Status& status);
  void Finish(const Publication& publication, const std::optional<Failure>& failure);

  TagStore& tags_;
  TagTargets& targets_;
  RandomSource& random_;
  const TagPublisherOptions options_;
  const std::function<void(const std::string& build_id)> changed_;
  const Logger logger_;
  metrics::Histogram latency_;
  metrics::Counter postponed_;
};

}  // namespace davit::scheduler
