// Remembers webhooks with their secrets for a short while, so that a push does not wait for the token-registry.
// Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "services/webhook_gateway/backends.h"

namespace davit::webhook_gateway {

// How long answers are used.
struct WebhookCacheOptions {
  absl::Duration found_for = absl::Seconds(60);
  absl::Duration absent_for = absl::Seconds(10);
  // While the source cannot be asked, an answer of at most this age is used: a provider may never deliver again.
  absl::Duration stale_for = absl::Minutes(10);
  // A webhook whose secret did not fit is asked for again at most once in this time.
  absl::Duration refresh_interval = absl::Seconds(10);
  size_t max_entries = 10000;  // the one that was fetched first goes
};

// Caches a WebhookSource, present and absent webhooks alike.
class WebhookCache {
 public:
  // `source` and `clock` must outlive this object.
  WebhookCache(WebhookSource& source, Clock& clock, WebhookCacheOptions options);

  // The webhook, at most `found_for` old. NOT_FOUND: there is none. Other errors are the source's.
  absl::StatusOr<Webhook> Get(const std::string& id);

  // What Get would return without asking the source; nothing when it has to be asked.
  std::optional<absl::StatusOr<Webhook>> Known(const std::string& id) const;

  // The webhook as the source has it now, for when a proof did not fit the secret that Get gave: it may have been
  // replaced. Returns what is known when it was fetched less than `refresh_interval` ago, so that a flood of wrong
  // proofs is no flood of calls.
  absl::StatusOr<Webhook> Refresh(const std::string& id);

 private:
  struct Entry {
    absl::StatusOr<Webhook> answer;  // a webhook or NOT_FOUND
    absl::Duration fetched;          // on the monotonic clock
  };

  std::optional<Entry> Find(const std::string& id) const;
  bool Holds(const Entry& entry, absl::Duration found_for, absl::Duration absent_for) const;
  absl::StatusOr<Webhook> GetNotOlderThan(const std::string& id, absl::Duration found_for, absl::Duration absent_for);
  void Remember(const std::string& id, const absl::StatusOr<Webhook>& answer, absl::Duration now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  WebhookSource& source_;
  Clock& clock_;
  const WebhookCacheOptions options_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::multimap<absl::Duration, std::string> by_age_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::webhook_gateway
