// Implements webhook_cache.h.
#include "services/webhook_gateway/webhook_cache.h"

#include "absl/status/status.h"

namespace davit::webhook_gateway {

WebhookCache::WebhookCache(WebhookSource& source, Clock& clock, WebhookCacheOptions options)
    : source_(source), clock_(clock), options_(options) {}

absl::StatusOr<Webhook> WebhookCache::Get(const std::string& id) {
  return GetNotOlderThan(id, options_.found_for, options_.absent_for);
}

std::optional<absl::StatusOr<Webhook>> WebhookCache::Known(const std::string& id) const {
  std::optional<Entry> known = Find(id);
  if (!known || !Holds(*known, options_.found_for, options_.absent_for)) return std::nullopt;
  return std::move(known->answer);
}

absl::StatusOr<Webhook> WebhookCache::Refresh(const std::string& id) {
  return GetNotOlderThan(id, options_.refresh_interval, options_.refresh_interval);
}

std::optional<WebhookCache::Entry> WebhookCache::Find(const std::string& id) const {
  absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? std::nullopt : std::optional<Entry>(entry->second);
}

bool WebhookCache::Holds(const Entry& entry, absl::Duration found_for, absl::Duration absent_for) const {
  return clock_.Monotonic() - entry.fetched < (entry.answer.ok() ? found_for : absent_for);
}

absl::StatusOr<Webhook> WebhookCache::GetNotOlderThan(const std::string& id, absl::Duration found_for,
                                                      absl::Duration absent_for) {
  const std::optional<Entry> known = Find(id);
  if (known && Holds(*known, found_for, absent_for)) return known->answer;
  const absl::Duration now = clock_.Monotonic();
  absl::StatusOr<Webhook> answer = source_.Get(id);
  if (!answer.ok() && !absl::IsNotFound(answer.status())) {
    if (known && known->answer.ok() && now - known->fetched < options_.stale_for) return known->answer;
    return answer;
  }
  absl::MutexLock lock(&mutex_);
  Remember(id, answer, now);
  return answer;
}

void WebhookCache::Remember(const std::string& id, const absl::StatusOr<Webhook>& answer, absl::Duration now) {
  const auto forget = [this](std::multimap<absl::Duration, std::string>::iterator oldest) {
    entries_.erase(oldest->second);
    by_age_.erase(oldest);
  };
  if (const auto entry = entries_.find(id); entry != entries_.end()) {
    const auto [begin, end] = by_age_.equal_range(entry->second.fetched);
    for (auto at = begin; at != end; ++at) {
      if (at->second != id) continue;
      forget(at);
      break;
    }
  }
  if (entries_.size() >= options_.max_entries) forget(by_age_.begin());
  entries_.insert_or_assign(id, Entry{answer, now});
  by_age_.emplace(now, id);
}

}  // namespace davit::webhook_gateway
