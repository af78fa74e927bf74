// The decision which refs of a repository were pushed without an event. Owns nothing; stateless, usable from any
// thread.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/rule_engine/repository_watches.h"
#include "services/rule_engine/source_directory.h"

namespace davit::rule_engine {

// A push that no event told of.
struct MissedPush {
  std::string ref;
  // Empty: the ref is new.
  std::string before;
  std::string after;
};

// What a look found.
struct Comparison {
  HeadChanges changes;
  std::vector<MissedPush> missed;
  // Whether some push is waited for: its webhook may be on its way.
  bool waiting = false;
};

// The refs that do not point where they were known to, in order.
std::vector<std::string> ChangedRefs(const WatchedHeads& known, const RemoteHeads& remote);

// Compares a repository that was looked at before. A head that is neither the known one nor in `told` (the ledger's
// pairs of ref and commit) is waited for; once it has been there for `grace` it is a missed push.
Comparison CompareHeads(const WatchedHeads& known, const RemoteHeads& remote,
                        const std::set<std::pair<std::string, std::string>>& told, absl::Duration grace);

// What a first look records: all heads, as known.
HeadChanges FirstLook(const RemoteHeads& remote);

}  // namespace davit::rule_engine
