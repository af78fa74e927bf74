// The decision whether a push builds under a rule, with the reason. Owns nothing; usable from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/rule_engine/event.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/pattern_cache.h"
#include "services/rule_engine/push_facts.h"
#include "services/rule_engine/rule.h"
#include "services/rule_engine/tag_template.h"

namespace davit::rule_engine {

// What a rule says to a push.
struct Verdict {
  Reason reason;
  // For people: the patterns that decided.
  std::string detail;
  // The image's tags, when it matched: in the order of the templates, without repetitions.
  std::vector<std::string> tags;
  // Whether it matched because not all changed paths are known.
  bool paths_unknown = false;
};

// Decides about the push of `push.ref` (which must be set), whose commits `facts` describes. Total: a stored pattern or
// template that does not compile any more is part of the explanation; one that excludes refs or authors then excludes
// all of them, so that nothing is built by mistake.
Verdict MatchRule(const Rule& rule, const TagInputs& push, const PushFacts& facts, PatternCache& patterns);

// Whether one of the templates that apply to `ref` (nothing: a bare commit) names the build number.
bool NamesNumber(const std::vector<std::string>& templates, const std::optional<GitRef>& ref);

// The tags that the templates make of the inputs, without those that do not apply and without repetitions.
// INVALID_ARGUMENT "tag_templates[N]: …" when one does not parse.
absl::StatusOr<std::vector<std::string>> RenderTags(const std::vector<std::string>& templates, const TagInputs& inputs);

}  // namespace davit::rule_engine
