// Implements recent_events.h.
#include "services/rule_engine/recent_events.h"

#include <utility>

namespace davit::rule_engine {

void RecentEvents::Put(Event event) {
  absl::MutexLock lock(&mutex_);
  order_.push_back(event.id);
  std::string id = event.id;
  events_.insert_or_assign(std::move(id), std::move(event));
  while (order_.size() > capacity_) {
    events_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<Event> RecentEvents::Take(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto it = events_.find(id);
  if (it == events_.end()) return std::nullopt;
  std::optional<Event> event(std::move(it->second));
  events_.erase(it);
  return event;
}

}  // namespace davit::rule_engine
