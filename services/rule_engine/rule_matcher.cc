// Matching of pushes against rules. Owns nothing; stateless but for the cache it is given.
#include "services/rule_engine/rule_matcher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
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

// The first of `texts` whose pattern matches; null = none. What does not compile is added to `rejected`.
template <typename Matches>
const std::string* FindMatching(const std::vector<std::string>& texts, std::string& rejected, Matches matches) {
  for (const std::string& text : texts) {
    const absl::StatusOr<bool> matched = matches(text);
    if (!matched.ok()) absl::StrAppend(&rejected, "; ", matched.status().message());
    if (matched.ok() && *matched) return &text;
  }
  return nullptr;
}

// What one look at a rule has to hand.
struct Look {
  const Rule& rule;
  const GitRef& ref;
  const PushFacts& facts;
  PatternCache& patterns;
};

absl::StatusOr<bool> MatchesFilter(const Look& look, FilterPattern::Subject subject, const std::string& text,
                                   absl::string_view value) {
  const absl::StatusOr<FilterPattern> pattern = look.patterns.GetFilter(subject, text);
  if (!pattern.ok()) return pattern.status();
  return pattern->Matches(value);
}

// Each of the checks below returns a verdict when the rule does not build, and else adds to the detail what people
// should know of it.
using Refusal = std::optional<Verdict>;

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

Refusal CheckRef(const Look& look, std::string& detail) {
  const bool is_branch = look.ref.kind == GitRef::Kind::kBranch;
  const std::vector<std::string>& includes = is_branch ? look.rule.branches : look.rule.tags;
  const std::vector<std::string>& excludes = is_branch ? look.rule.exclude_branches : look.rule.exclude_tags;
  const auto matches = [&](const std::string& text) -> absl::StatusOr<bool> {
    const absl::StatusOr<Pattern> pattern = look.patterns.Get(text);
    if (!pattern.ok()) return pattern.status();
    return pattern->Matches(look.ref);
  };
  std::string rejected;
  const std::string* included = FindMatching(includes, rejected, matches);
  if (included == nullptr) return NotMatched(look.ref, includes, rejected);
  rejected.clear();
  const std::string* excluded = FindMatching(excludes, rejected, matches);
  if (excluded != nullptr || !rejected.empty()) {
    return Verdict{
        Reason::kRefExcluded,
        absl::StrCat(look.ref.kind_name(), " ", look.ref.name, " matches ", *included, " but is excluded by ",
                     excluded != nullptr ? *excluded : ShowPatterns(excludes), rejected),
        {}};
  }
  absl::StrAppend(&detail, look.ref.kind_name(), " ", look.ref.name, " matches ", *included);
  return std::nullopt;
}

Refusal CheckSkipMark(const Look& look) {
  if (look.rule.skip_marks == SkipMarks::kIgnored || look.facts.head == nullptr) return std::nullopt;
  const absl::string_view mark = FindSkipMark(look.facts.head->message());
  if (mark.empty()) return std::nullopt;
  return Verdict{Reason::kSkipMark, absl::StrCat("the last commit's message holds ", mark), {}};
}

Refusal CheckAuthor(const Look& look, std::string& detail) {
  const Rule& rule = look.rule;
  if (rule.authors.empty() && rule.exclude_authors.empty()) return std::nullopt;
  const rules::v1::PushedCommit* head = look.facts.head;
  if (head == nullptr || (head->author_name().empty() && head->author_email().empty())) {
    absl::StrAppend(&detail, "; built whoever the author is: the push does not tell");
    return std::nullopt;
  }
  const auto matches = [&](const std::string& text) -> absl::StatusOr<bool> {
    const absl::StatusOr<bool> name = MatchesFilter(look, FilterPattern::Subject::kAuthor, text, head->author_name());
    if (!name.ok() || *name) return name;
    return MatchesFilter(look, FilterPattern::Subject::kAuthor, text, head->author_email());
  };
  const std::string author = absl::StrCat(head->author_name(), " <", head->author_email(), ">");
  std::string rejected;
  if (!rule.authors.empty() && FindMatching(rule.authors, rejected, matches) == nullptr) {
    return Verdict{Reason::kAuthorNotMatched,
                   absl::StrCat("author ", author, " matches none of: ", ShowPatterns(rule.authors), rejected),
                   {}};
  }
  rejected.clear();
  const std::string* excluded = FindMatching(rule.exclude_authors, rejected, matches);
  if (excluded == nullptr && rejected.empty()) return std::nullopt;
  return Verdict{Reason::kAuthorNotMatched,
                 absl::StrCat("author ", author, " is excluded by ",
                              excluded != nullptr ? *excluded : ShowPatterns(rule.exclude_authors), rejected),
                 {}};
}

std::vector<FilterPattern> CompilePaths(const Look& look, const std::vector<std::string>& texts,
                                        std::string& rejected) {
  std::vector<FilterPattern> compiled;
  for (const std::string& text : texts) {
    absl::StatusOr<FilterPattern> pattern = look.patterns.GetFilter(FilterPattern::Subject::kPath, text);
    if (pattern.ok()) {
      compiled.push_back(*std::move(pattern));
    } else {
      absl::StrAppend(&rejected, "; ", pattern.status().message());
    }
  }
  return compiled;
}

Refusal CheckPaths(const Look& look, Verdict& verdict) {
  const Rule& rule = look.rule;
  if (rule.paths.empty() && rule.exclude_paths.empty()) return std::nullopt;
  std::string rejected;
  const std::vector<FilterPattern> includes = CompilePaths(look, rule.paths, rejected);
  const std::vector<FilterPattern> excludes = CompilePaths(look, rule.exclude_paths, rejected);
  const auto matters = [&](absl::string_view path) {
    const auto matches = [path](const FilterPattern& pattern) { return pattern.Matches(path); };
    return (rule.paths.empty() || absl::c_any_of(includes, matches)) && absl::c_none_of(excludes, matches);
  };
  const auto found = absl::c_find_if(look.facts.paths, matters);
  if (found != look.facts.paths.end()) {
    absl::StrAppend(&verdict.detail, "; ", *found, " changed");
    return std::nullopt;
  }
  if (!look.facts.paths_unknown.empty()) {
    absl::StrAppend(&verdict.detail, "; built whatever changed: ", look.facts.paths_unknown);
    verdict.paths_unknown = true;
    return std::nullopt;
  }
  const std::string included = rule.paths.empty() ? "" : absl::StrCat(" of: ", ShowPatterns(rule.paths));
  const std::string excluded =
      rule.exclude_paths.empty() ? "" : absl::StrCat(", without: ", ShowPatterns(rule.exclude_paths));
  return Verdict{
      Reason::kPathsNotMatched,
      absl::StrCat("no changed path (", look.facts.paths.size(), ") is one that matters", included, excluded, rejected),
      {}};
}

}  // namespace

Verdict MatchRule(const Rule& rule, const TagInputs& push, const PushFacts& facts, PatternCache& patterns) {
  const Look look{rule, *push.ref, facts, patterns};
  if (!rule.enabled) return {Reason::kRuleDisabled, "the rule is disabled", {}};
  Verdict verdict{Reason::kMatched, "", {}};
  if (Refusal refusal = CheckRef(look, verdict.detail)) return *std::move(refusal);
  if (look.ref.kind == GitRef::Kind::kBranch) {
    if (Refusal refusal = CheckSkipMark(look)) return *std::move(refusal);
    if (Refusal refusal = CheckAuthor(look, verdict.detail)) return *std::move(refusal);
    if (Refusal refusal = CheckPaths(look, verdict)) return *std::move(refusal);
  }
  absl::StatusOr<std::vector<std::string>> tags = RenderTags(rule.tag_templates, push);
  if (!tags.ok()) return {Reason::kNoTag, std::string(tags.status().message()), {}};
  if (tags->empty()) {
    return {Reason::kNoTag,
            absl::StrCat("none of the tag templates applies to a ", look.ref.kind_name(), ": ",
                         ShowPatterns(rule.tag_templates)),
            {}};
  }
  verdict.tags = *std::move(tags);
  return verdict;
}

bool NamesNumber(const std::vector<std::string>& templates, const std::optional<GitRef>& ref) {
  return absl::c_any_of(templates, [&ref](const std::string& text) {
    const absl::StatusOr<TagTemplate> parsed = TagTemplate::Parse(text);
    return parsed.ok() && parsed->AppliesTo(ref) && parsed->NamesNumber();
  });
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
