// The options that say how builds share the queue, shared by rules and builds. Pure functions; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "davit/common/v1/build_policy.pb.h"
#include "services/cli/arguments.h"

namespace davit::cli {

// --priority, --retries, --supersede, --concurrency-group: of rules and of single builds.
std::vector<Option> QueueOptions();

// Those, --max-concurrent and --reuse-window: of rules.
std::vector<Option> PolicyOptions();

// What the options say. `fields` are the paths of those that were given, as update masks name them ("policy.priority").
struct PolicyValues {
  davit::common::v1::BuildPolicy policy;
  std::vector<std::string> fields;
};

// Reads the options. A usage error names the one that is wrong.
absl::StatusOr<PolicyValues> ReadPolicy(const Arguments& arguments);

// The policy for people: names and values of what is not the default.
std::vector<std::pair<std::string, std::string>> PolicyTexts(const davit::common::v1::BuildPolicy& policy);

// The options that --clear of a rule's update knows, with the fields that they set.
std::vector<std::pair<std::string, std::string>> PolicyFields();

}  // namespace davit::cli
