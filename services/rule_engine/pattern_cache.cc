// The bounded cache of compiled patterns; patterns are compiled outside the lock.
#include "services/rule_engine/pattern_cache.h"

#include "libs/status/status_macros.h"

namespace davit::rule_engine {

absl::StatusOr<Pattern> PatternCache::Get(absl::string_view text) {
  {
    absl::MutexLock lock(&mutex_);
    const auto found = patterns_.find(text);
    if (found != patterns_.end()) return found->second;
  }
  DAVIT_ASSIGN_OR_RETURN(Pattern pattern, Pattern::Compile(text));
  absl::MutexLock lock(&mutex_);
  if (patterns_.size() >= capacity_) patterns_.clear();
  patterns_.emplace(pattern.text(), pattern);
  return pattern;
}

size_t PatternCache::size() const {
  absl::MutexLock lock(&mutex_);
  return patterns_.size();
}

}  // namespace davit::rule_engine
