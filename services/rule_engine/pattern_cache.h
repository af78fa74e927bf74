// Compiled patterns by their text, so that an event does not compile its rules' patterns again. Thread-safe.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/rule_engine/filter_pattern.h"
#include "services/rule_engine/pattern.h"

namespace davit::rule_engine {

// Holds at most `capacity` patterns of each kind; when full it forgets all of that kind, which costs one compilation
// each and keeps it simple.
class PatternCache {
 public:
  explicit PatternCache(size_t capacity = 10000) : capacity_(capacity) {}

  // The compiled pattern; errors as Pattern::Compile, which are not remembered.
  absl::StatusOr<Pattern> Get(absl::string_view text);
  // The same for patterns on paths and authors.
  absl::StatusOr<FilterPattern> GetFilter(FilterPattern::Subject subject, absl::string_view text);

  // How many patterns it holds now.
  size_t size() const;

 private:
  template <typename Compiled>
  using Compilations = absl::flat_hash_map<std::string, Compiled>;

  template <typename Compiled, typename Compile>
  absl::StatusOr<Compiled> GetFrom(Compilations<Compiled>& patterns, absl::string_view text, Compile compile);

  const size_t capacity_;
  mutable absl::Mutex mutex_;
  // All guarded by mutex_; GetFrom takes it.
  Compilations<Pattern> refs_;
  Compilations<FilterPattern> paths_;
  Compilations<FilterPattern> authors_;
};

}  // namespace davit::rule_engine
