// Comparison of heads. Owns nothing; stateless.
#include "services/rule_engine/head_comparison.h"

namespace davit::rule_engine {

std::vector<std::string> ChangedRefs(const WatchedHeads& known, const RemoteHeads& remote) {
  std::vector<std::string> changed;
  for (const auto& [ref, commit] : remote.commits) {
    const auto found = known.find(ref);
    if (found == known.end() || found->second.commit != commit) changed.push_back(ref);
  }
  return changed;
}

Comparison CompareHeads(const WatchedHeads& known, const RemoteHeads& remote,
                        const std::set<std::pair<std::string, std::string>>& told, absl::Duration grace) {
  Comparison comparison;
  for (const auto& [ref, commit] : remote.commits) {
    const auto found = known.find(ref);
    const WatchedHead head = found == known.end() ? WatchedHead() : found->second;
    if (head.commit == commit) {
      if (!head.pending_commit.empty()) comparison.changes.record[ref] = WatchedHead{commit, "", {}};
    } else if (told.contains({ref, commit})) {
      comparison.changes.record[ref] = WatchedHead{commit, "", {}};
    } else if (head.pending_commit != commit) {
      comparison.changes.record[ref] = WatchedHead{head.commit, commit, {}};
      comparison.waiting = true;
    } else if (head.pending_for < grace) {
      comparison.waiting = true;
    } else {
      comparison.missed.push_back(MissedPush{ref, head.commit, commit});
      comparison.changes.record[ref] = WatchedHead{commit, "", {}};
    }
  }
  if (remote.cut_short) return comparison;
  for (const auto& [ref, head] : known) {
    if (!remote.commits.contains(ref)) comparison.changes.forget.push_back(ref);
  }
  return comparison;
}

HeadChanges FirstLook(const RemoteHeads& remote) {
  HeadChanges changes;
  for (const auto& [ref, commit] : remote.commits) changes.record[ref] = WatchedHead{commit, "", {}};
  return changes;
}

}  // namespace davit::rule_engine
