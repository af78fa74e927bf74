// Rules that would overwrite each other's tags. Owns nothing; stateless, usable from any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// For people, one sentence per tag template that one of `others` (rules with the same image repository) has too: a
// fixed tag, one that two repositories name alike, or any when both rules are about one repository.
std::vector<std::string> FindCollisions(const Rule& rule, absl::Span<const Rule> others);

}  // namespace davit::rule_engine
