// Reading of pushes. Owns nothing; stateless.
#include "services/rule_engine/push_facts.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace davit::rule_engine {

PushFacts FactsOf(const rules::v1::PushEvent& push) {
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
