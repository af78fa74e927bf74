// Matching of pushes against rules. Owns nothing; stateless but for the cache it is given.
#include "services/rule_engine/rule_matcher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/status/annotate.h"

namespace davit::rule_engine {
namespace {

// As many patterns as a sentence bears.
constexpr size_t kMaxPatternsShown = 10;

std::string ShowPatterns(const std::vector<std::string>& patterns) {
  const size_t shown = std::min(patterns.size(), kMaxPatternsShown);
  std::string text = absl::StrJoin(patterns.begin(), patterns.begin() + static_cast<std::ptrdiff_t>(shown), ", ");
  if (patterns.size() > shown) absl::StrAppend(&text, " and ", patterns.size() - shown, " more");
  return text;
}

Verdict NotMatched(const GitRef& ref, const std::vector<std::string>& patterns, const std::string& rejected) {
  const Reason reason = ref.kind == GitRef::Kind::kBranch ? Reason::kBranchNotMatched : Reason::kTagNotMatched;
  if (patterns.empty()) {
    return {reason,
            absl::StrCat("the rule has no ", ref.kind_name(), " patterns: a ", ref.kind_name(), " does not trigger it"),
            {}};
  }
  return {
      reason, absl::StrCat(ref.kind_name(), " ", ref.name, " matches none of: ", ShowPatterns(patterns), rejected), {}};
}

}  // namespace

Verdict MatchRule(const Rule& rule, const TagInputs& push, PatternCache& patterns) {
  const GitRef& ref = *push.ref;
  if (!rule.enabled) return {Reason::kRuleDisabled, "the rule is disabled", {}};
  const std::vector<std::string>& candidates = ref.kind == GitRef::Kind::kBranch ? rule.branches : rule.tags;
  std::string rejected;
  const auto matching = std::find_if(candidates.begin(), candidates.end(), [&](const std::string& text) {
    const absl::StatusOr<Pattern> pattern = patterns.Get(text);
    if (!pattern.ok()) absl::StrAppend(&rejected, "; ", pattern.status().message());
    return pattern.ok() && pattern->Matches(ref);
  });
  if (matching == candidates.end()) return NotMatched(ref, candidates, rejected);
  absl::StatusOr<std::vector<std::string>> tags = RenderTags(rule.tag_templates, push);
  if (!tags.ok()) return {Reason::kNoTag, std::string(tags.status().message()), {}};
  if (tags->empty()) {
    return {Reason::kNoTag,
            absl::StrCat("none of the tag templates applies to a ", ref.kind_name(), ": ",
                         ShowPatterns(rule.tag_templates)),
            {}};
  }
  return {Reason::kMatched, absl::StrCat(ref.kind_name(), " ", ref.name, " matches ", *matching), *std::move(tags)};
}

absl::StatusOr<std::vector<std::string>> RenderTags(const std::vector<std::string>& templates,
                                                    const TagInputs& inputs) {
  std::vector<std::string> tags;
  for (size_t i = 0; i < templates.size(); ++i) {
    const absl::StatusOr<TagTemplate> parsed = TagTemplate::Parse(templates[i]);
    if (!parsed.ok()) return Annotate(parsed.status(), absl::StrCat("tag_templates[", i, "]"));
    if (!parsed->AppliesTo(inputs.ref)) continue;
    absl::StatusOr<std::string> tag = parsed->Render(inputs);
    if (!tag.ok()) return Annotate(tag.status(), absl::StrCat("tag_templates[", i, "]"));
    if (std::find(tags.begin(), tags.end(), *tag) == tags.end()) tags.push_back(*std::move(tag));
  }
  return tags;
}

}  // namespace davit::rule_engine
