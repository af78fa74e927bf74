// The events that this replica has stored lately, so that evaluating them does not read them again. Thread-safe.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "services/rule_engine/event.h"

namespace davit::rule_engine {

// Holds so many events, and forgets the oldest for newer ones. What it holds is a copy: the ledger has every event, and
// none changes there.
class RecentEvents {
 public:
  explicit RecentEvents(size_t capacity) : capacity_(capacity) {}

  // Keeps a stored event.
  void Put(Event event) ABSL_LOCKS_EXCLUDED(mutex_);

  // Gives the event away; nullopt when it is not held (any more).
  std::optional<Event> Take(const std::string& id) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const size_t capacity_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Event> events_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> order_ ABSL_GUARDED_BY(mutex_);  // ids as they came, those taken meanwhile included
};

}  // namespace davit::rule_engine
