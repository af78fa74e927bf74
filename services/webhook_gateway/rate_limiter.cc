// Implements rate_limiter.h.
#include "services/webhook_gateway/rate_limiter.h"

#include <algorithm>

namespace davit::webhook_gateway {

// Both also refuse what is not a number.
absl::Status CheckRate(double per_second) {
  return per_second > 0 ? absl::OkStatus() : absl::InvalidArgumentError("must be more than 0");
}

absl::Status CheckBurst(double burst) {
  return burst >= 1 ? absl::OkStatus() : absl::InvalidArgumentError("must be at least 1");
}

RateLimiter::RateLimiter(RateLimit limit, size_t max_names, Clock& clock)
    : limit_(limit), max_names_(max_names), clock_(clock) {}

absl::Duration RateLimiter::Take(const std::string& name) {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  Bucket& bucket = Find(name, now);
  const double earned = absl::ToDoubleSeconds(now - bucket.filled) * limit_.per_second;
  bucket.tokens = std::min(limit_.burst, bucket.tokens + std::max(earned, 0.0));
  bucket.filled = now;
  if (bucket.tokens < 1) return absl::Seconds((1 - bucket.tokens) / limit_.per_second);
  bucket.tokens -= 1;
  return absl::ZeroDuration();
}

RateLimiter::Bucket& RateLimiter::Find(const std::string& name, absl::Duration now) {
  if (const auto found = buckets_.find(name); found != buckets_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return by_use_.front();
  }
  if (buckets_.size() >= max_names_) {
    buckets_.erase(by_use_.back().name);
    by_use_.pop_back();
  }
  by_use_.push_front({name, limit_.burst, now});
  buckets_.emplace(name, by_use_.begin());
  return by_use_.front();
}

}  // namespace davit::webhook_gateway
