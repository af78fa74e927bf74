// Rules as a YAML document that people keep in version control. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/rules/v1/rule.pb.h"

namespace davit::cli {

// A rule of a document. `enabled` is what the document says, true when it says nothing.
using RuleSpec = davit::rules::v1::Rule;

// The document: a mapping with the one key `rules`, a list of rules with the field names of davit.rules.v1.Rule,
// without what the server sets and without what is empty.
std::string WriteRules(const std::vector<RuleSpec>& rules);

// Reads a document. INVALID_ARGUMENT names the line and the field: text that is no YAML, an unknown or repeated field,
// a value of another kind, two rules of one name, more than 1 MiB.
absl::StatusOr<std::vector<RuleSpec>> ReadRules(const std::string& text);

// How `wanted` differs from `current`, as lines that begin with "- " or "+ ", field by field; empty = not at all.
// `fields` gets the names of the fields that differ.
std::string DescribeDifference(const RuleSpec& current, const RuleSpec& wanted, std::vector<std::string>& fields);

// The rule as a document has it: without what the server sets.
RuleSpec StripServerFields(const RuleSpec& rule);

}  // namespace davit::cli
