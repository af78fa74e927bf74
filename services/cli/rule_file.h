// Reading of the files that hold rules. Used on one thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "davit/rules/v1/rule.pb.h"
#include "services/cli/session.h"

namespace davit::cli {

// The rules of a YAML file ("-" = standard input), as rule_document.h says; a usage error when it cannot be read.
absl::StatusOr<std::vector<davit::rules::v1::Rule>> ReadRuleFile(Session& session, const std::string& file);

}  // namespace davit::cli
