// What a push says about its commits, as far as rules ask. Values only; no threads.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "davit/rules/v1/event.pb.h"

namespace davit::rule_engine {

// Read once per event and looked at by each of its rules. The views are of the push, which must outlive them.
struct PushFacts {
  // Paths that the push's commits added, changed or removed; may repeat.
  std::vector<absl::string_view> paths;
  // Why `paths` may not be all of them; empty = they are.
  std::string paths_unknown;
  // The commit that the ref points to now; null when the push does not describe it.
  const rules::v1::PushedCommit* head = nullptr;
};

// Reads the push.
PushFacts FactsOf(const rules::v1::PushEvent& push);

// The first of `[skip ci]`, `[ci skip]` and `[skip build]` that the message holds, of which case does not count; empty
// = none.
absl::string_view FindSkipMark(absl::string_view message);

}  // namespace davit::rule_engine
