// The bounded cache of compiled patterns; patterns are compiled outside the lock.
#include "services/rule_engine/pattern_cache.h"

#include "libs/status/status_macros.h"

namespace davit::rule_engine {

template <typename Compiled, typename Compile>
absl::StatusOr<Compiled> PatternCache::GetFrom(Compilations<Compiled>& patterns, absl::string_view text,
                                               Compile compile) {
  {
    absl::MutexLock lock(&mutex_);
    const auto found = patterns.find(text);
    if (found != patterns.end()) return found->second;
  }
  DAVIT_ASSIGN_OR_RETURN(Compiled pattern, compile());
  absl::MutexLock lock(&mutex_);
  if (patterns.size() >= capacity_) patterns.clear();
  patterns.emplace(pattern.text(), pattern);
  return pattern;
}

absl::StatusOr<Pattern> PatternCache::Get(absl::string_view text) {
  return GetFrom(refs_, text, [&] { return Pattern::Compile(text); });
}

absl::StatusOr<FilterPattern> PatternCache::GetFilter(FilterPattern::Subject subject, absl::string_view text) {
  return GetFrom(subject == FilterPattern::Subject::kPath ? paths_ : authors_, text,
                 [&] { return FilterPattern::Compile(subject, text); });
}

size_t PatternCache::size() const {
  absl::MutexLock lock(&mutex_);
  return refs_.size() + paths_.size() + authors_.size();
}

}  // namespace davit::rule_engine
