// What makes a rule acceptable when it is saved. Owns nothing; stateless, usable from any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// Checks everything about the rule that can be known without asking another service, and fills in the recipe's
// defaults. INVALID_ARGUMENT with the field's path below the request in front ("rule.trigger.branches[1]: pattern
// rejected: …", "rule.recipe.dockerfile_path: path leaves the repository", "rule.destination.repository: invalid image
// reference: …").
absl::Status ValidateRule(Rule& rule);

// INVALID_ARGUMENT "FIELD: …" unless `repository` is a path such as team/app: 1 to 255 bytes, components that are
// neither empty,
// "." nor "..", do not begin with '-', no control or URL-breaking characters, no ".git" at the end.
absl::Status CheckRepositoryPath(absl::string_view field, absl::string_view repository);

}  // namespace davit::rule_engine
