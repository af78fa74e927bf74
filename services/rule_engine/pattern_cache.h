// Compiled patterns by their text, so that an event does not compile its rules' patterns again. Thread-safe.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/rule_engine/pattern.h"

namespace davit::rule_engine {

// Holds at most `capacity` patterns; when full it forgets all of them, which costs one compilation each and keeps it
// simple.
class PatternCache {
 public:
  explicit PatternCache(size_t capacity = 10000) : capacity_(capacity) {}

  // The compiled pattern; errors as Pattern::Compile, which are not remembered.
  absl::StatusOr<Pattern> Get(absl::string_view text);

  // How many patterns it holds now.
  size_t size() const;

 private:
  const size_t capacity_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Pattern> patterns_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::rule_engine
