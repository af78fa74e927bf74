// Reading of pushes. Owns nothing; stateless.
#include "services/rule_engine/push_facts.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::rule_engine {

PushFacts FactsOf(const rules::v1::PushEvent& push, const std::optional<ChangedPaths>& changes) {
  PushFacts facts;
  for (const rules::v1::PushedCommit& commit : push.commits()) {
    for (const auto* paths : {&commit.added(), &commit.modified(), &commit.removed()}) {
      facts.paths.insert(facts.paths.end(), paths->begin(), paths->end());
    }
    if (commit.id() == push.after()) facts.head = &commit;
  }
  if (push.commits_truncated()) {
    facts.paths_unknown = "the provider's list of commits was cut short";
  } else if (push.forced()) {
    facts.paths_unknown = "history was rewritten";
  } else if (facts.paths.empty()) {
    facts.paths_unknown = "the push names no paths";
  }
  if (facts.paths_unknown.empty() || !changes.has_value()) return facts;
  // What all commits together changed is known: a path that was changed and changed back did not change.
  if (changes->incomplete.empty()) facts.paths.clear();
  facts.paths.insert(facts.paths.end(), changes->paths.begin(), changes->paths.end());
  if (changes->incomplete.empty()) {
    facts.paths_unknown.clear();
  } else {
    absl::StrAppend(&facts.paths_unknown, ", and ", changes->incomplete);
  }
  return facts;
}

absl::string_view FindSkipMark(absl::string_view message) {
  const std::string lower = absl::AsciiStrToLower(message);
  for (const absl::string_view mark : {"[skip ci]", "[ci skip]", "[skip build]"}) {
    if (absl::StrContains(lower, mark)) return mark;
  }
  return "";
}

}  // namespace davit::rule_engine
