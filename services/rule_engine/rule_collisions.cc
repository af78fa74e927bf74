// Comparison of rules' tag templates. Owns nothing; stateless.
#include "services/rule_engine/rule_collisions.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "services/rule_engine/tag_template.h"

namespace davit::rule_engine {
namespace {

// As many sentences as an answer bears.
constexpr size_t kMaxWarnings = 20;

bool CanCollide(const Rule& rule, const Rule& other, absl::string_view text) {
  if (rule.connection_id == other.connection_id && ConcernsRepository(rule, other.repository)) return true;
  const absl::StatusOr<TagTemplate> parsed = TagTemplate::Parse(text);
  // Two repositories have neither a commit nor the moment of a push in common.
  return parsed.ok() && !parsed->TellsPushesApart();
}

}  // namespace

std::vector<std::string> FindCollisions(const Rule& rule, absl::Span<const Rule> others) {
  std::vector<std::string> warnings;
  for (const Rule& other : others) {
    if (other.id == rule.id || other.destination.repository() != rule.destination.repository()) continue;
    for (const std::string& text : rule.tag_templates) {
      if (!absl::c_linear_search(other.tag_templates, text) || !CanCollide(rule, other, text)) continue;
      if (warnings.size() == kMaxWarnings) return warnings;
      warnings.push_back(absl::StrCat("the rule \"", other.display_name, "\" (", other.id, ") sets the tag ", text,
                                      " of ", rule.destination.repository(),
                                      " too: where both build, the later build has it"));
    }
  }
  return warnings;
}

}  // namespace davit::rule_engine
