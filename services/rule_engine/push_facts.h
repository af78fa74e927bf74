// What a push says about its commits, as far as rules ask. Values only; no threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "davit/rules/v1/event.pb.h"
#include "services/rule_engine/event.h"

namespace davit::rule_engine {

// Read once per event and looked at by each of its rules. The views are of the push, which must outlive them.
struct PushFacts {
  // Paths that were added, changed or removed: by the push's commits, or as its provider answered; may repeat.
  std::vector<absl::string_view> paths;
  // Why `paths` may not be all of them; empty = they are.
  std::string paths_unknown;
  // The commit that the ref points to now; null when the push does not describe it.
  const rules::v1::PushedCommit* head = nullptr;
};

// Reads the push, and what its provider answered, which must outlive the facts as well.
PushFacts FactsOf(const rules::v1::PushEvent& push, const std::optional<ChangedPaths>& changes);

// The first of `[skip ci]`, `[ci skip]` and `[skip build]` that the message holds, of which case does not count; empty
// = none.
absl::string_view FindSkipMark(absl::string_view message);

}  // namespace davit::rule_engine
