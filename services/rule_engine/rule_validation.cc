// The checks of a rule's fields, in the order in which a client reads them. Owns nothing; stateless.
#include "services/rule_engine/rule_validation.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/ids/ids.h"
#include "libs/recipe/policy.h"
#include "libs/recipe/recipe.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/filter_pattern.h"
#include "services/rule_engine/pattern.h"
#include "services/rule_engine/tag_template.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxDisplayNameCharacters = 100;
constexpr size_t kMaxRepositoryBytes = 255;
constexpr size_t kMaxPatterns = 50;
constexpr size_t kMaxTagTemplates = 10;

absl::Status Invalid(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

// Characters of valid UTF-8, which protobuf guarantees.
size_t CountCharacters(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); });
}

absl::Status CheckDisplayName(const std::string& name) {
  const size_t characters = CountCharacters(name);
  if (characters == 0 || characters > kMaxDisplayNameCharacters || HasControl(name) ||
      absl::StripAsciiWhitespace(name) != name) {
    return Invalid("rule.display_name",
                   "1 to 100 characters are accepted, without control characters and without blanks at the ends");
  }
  return absl::OkStatus();
}

// `compile` gives the pattern or what is wrong with its text.
template <typename Compile>
absl::Status CheckPatterns(absl::string_view name, const std::vector<std::string>& patterns, Compile compile) {
  const std::string field = absl::StrCat("rule.trigger.", name);
  if (patterns.size() > kMaxPatterns) return Invalid(field, absl::StrCat("more than ", kMaxPatterns, " patterns"));
  for (size_t i = 0; i < patterns.size(); ++i) {
    const absl::Status status = compile(patterns[i]).status();
    if (!status.ok()) return Annotate(status, absl::StrCat(field, "[", i, "]"));
  }
  return absl::OkStatus();
}

// An exclude pattern takes away from what the include patterns match: without those it has no meaning.
absl::Status CheckExcludes(absl::string_view name, const std::vector<std::string>& excludes,
                           const std::vector<std::string>& includes) {
  if (excludes.empty() || !includes.empty()) return absl::OkStatus();
  return Invalid(absl::StrCat("rule.trigger.exclude_", name),
                 absl::StrCat("takes away from rule.trigger.", name, ", which is empty; add \"**\" there to mean all"));
}

absl::Status CheckTrigger(const Rule& rule) {
  const auto ref = [](const std::string& text) { return Pattern::Compile(text); };
  const auto path = [](const std::string& text) { return FilterPattern::Compile(FilterPattern::Subject::kPath, text); };
  const auto author = [](const std::string& text) {
    return FilterPattern::Compile(FilterPattern::Subject::kAuthor, text);
  };
  DAVIT_RETURN_IF_ERROR(CheckPatterns("branches", rule.branches, ref));
  DAVIT_RETURN_IF_ERROR(CheckPatterns("tags", rule.tags, ref));
  DAVIT_RETURN_IF_ERROR(CheckPatterns("exclude_branches", rule.exclude_branches, ref));
  DAVIT_RETURN_IF_ERROR(CheckPatterns("exclude_tags", rule.exclude_tags, ref));
  DAVIT_RETURN_IF_ERROR(CheckExcludes("branches", rule.exclude_branches, rule.branches));
  DAVIT_RETURN_IF_ERROR(CheckExcludes("tags", rule.exclude_tags, rule.tags));
  DAVIT_RETURN_IF_ERROR(CheckPatterns("paths", rule.paths, path));
  DAVIT_RETURN_IF_ERROR(CheckPatterns("exclude_paths", rule.exclude_paths, path));
  DAVIT_RETURN_IF_ERROR(CheckPatterns("authors", rule.authors, author));
  return CheckPatterns("exclude_authors", rule.exclude_authors, author);
}

// Every kind of ref that triggers the rule must get at least one tag.
absl::Status CheckTagTemplates(const Rule& rule) {
  constexpr absl::string_view kField = "rule.tag_templates";
  if (rule.tag_templates.empty() || rule.tag_templates.size() > kMaxTagTemplates) {
    return Invalid(kField, "1 to 10 templates are needed, for example \"{branch}-{commit:7}\"");
  }
  bool serves_branches = false;
  bool serves_tags = false;
  for (size_t i = 0; i < rule.tag_templates.size(); ++i) {
    const absl::StatusOr<TagTemplate> parsed = TagTemplate::Parse(rule.tag_templates[i]);
    if (!parsed.ok()) return Annotate(parsed.status(), absl::StrCat(kField, "[", i, "]"));
    serves_branches = serves_branches || parsed->AppliesToKind(GitRef::Kind::kBranch);
    serves_tags = serves_tags || parsed->AppliesToKind(GitRef::Kind::kTag);
  }
  if (!rule.branches.empty() && !serves_branches) {
    return Invalid(kField,
                   "the trigger has branches, but every template names {tag}; add one such as \"{branch}-{commit:7}\"");
  }
  if (!rule.tags.empty() && !serves_tags) {
    return Invalid(kField, "the trigger has tags, but every template names {branch}; add one such as \"{tag}\"");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRepositoryPath(absl::string_view field, absl::string_view repository) {
  constexpr absl::string_view kAccepted = "expected a path below the connection's base URL such as team/app";
  if (repository.empty()) return Invalid(field, absl::StrCat("it is empty; ", kAccepted));
  if (repository.size() > kMaxRepositoryBytes) return Invalid(field, "longer than 255 bytes");
  if (absl::EndsWithIgnoreCase(repository, ".git")) return Invalid(field, "leave out the \".git\" at the end");
  for (const char c : repository) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) ||
        absl::StrContains(" ?#%\\:@\"'<>", absl::string_view(&c, 1))) {
      return Invalid(field, absl::StrCat("a character that no repository's path holds; ", kAccepted));
    }
  }
  for (const absl::string_view component : absl::StrSplit(repository, '/')) {
    if (component.empty() || component == "." || component == ".." || component[0] == '-') {
      return Invalid(field, absl::StrCat("\"", component, "\" cannot be a part of it; ", kAccepted));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateRule(Rule& rule) {
  DAVIT_RETURN_IF_ERROR(CheckDisplayName(rule.display_name));
  if (!IsId("con", rule.connection_id)) {
    return Invalid("rule.connection_id", "not the id of a connection (con_…); `davit connections` lists them");
  }
  DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("rule.repository", rule.repository));
  DAVIT_RETURN_IF_ERROR(CheckTrigger(rule));
  DAVIT_RETURN_IF_ERROR(recipe::Normalize("rule.recipe", rule.recipe));
  DAVIT_RETURN_IF_ERROR(recipe::NormalizeDestination("rule.destination", rule.destination));
  DAVIT_RETURN_IF_ERROR(CheckTagTemplates(rule));
  return recipe::NormalizePolicy("rule.policy", rule.policy);
}

}  // namespace davit::rule_engine
