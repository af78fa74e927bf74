// What becomes of an event: each rule of its repository looks at it. Owns nothing but the pattern cache; thread-safe.
#pragma once

#include "absl/types/span.h"
#include "services/rule_engine/event.h"
#include "services/rule_engine/pattern_cache.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// Evaluates events. Total and without effects: the same event and rules always give the same evaluation.
class EventEvaluator {
 public:
  // `rules` are those of the event's project, connection and RepositoryKey, in the order in which they are to be
  // explained.
  Evaluation Evaluate(const Event& event, absl::Span<const Rule> rules);

 private:
  PatternCache patterns_;
};

}  // namespace davit::rule_engine
