// How often something may happen, by name: a token bucket for each. Thread-safe; never blocks.
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"

namespace davit::webhook_gateway {

// How much each name may do.
struct RateLimit {
  double per_second = 100;  // in the long run
  double burst = 3000;      // at once, after a pause; at least 1
};

// Whether a limit lets anything through; INVALID_ARGUMENT.
absl::Status CheckRate(double per_second);
absl::Status CheckBurst(double burst);

// Holds the buckets of the names seen last.
class RateLimiter {
 public:
  // At most `max_names` buckets are kept: the one that was used least recently goes and is full when it comes back.
  // `clock` must outlive this object.
  RateLimiter(RateLimit limit, size_t max_names, Clock& clock);

  // Takes one from the bucket of `name`. Zero: it may go on. Else nothing was taken, and one will be there after the
  // returned time.
  absl::Duration Take(const std::string& name);

 private:
  struct Bucket {
    std::string name;
    double tokens;
    absl::Duration filled;  // on the monotonic clock
  };

  Bucket& Find(const std::string& name, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const RateLimit limit_;
  const size_t max_names_;
  Clock& clock_;
  absl::Mutex mutex_;
  std::list<Bucket> by_use_ ABSL_GUARDED_BY(mutex_);  // the last used first
  std::unordered_map<std::string, std::list<Bucket>::iterator> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::webhook_gateway
