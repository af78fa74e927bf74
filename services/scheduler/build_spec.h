// Checks what a client asks to be built, and fills in its defaults. Pure; usable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "davit/scheduler/v1/build.pb.h"
#include "services/scheduler/store/records.h"

namespace davit::scheduler {

// Fills in defaults and writes paths, references and tags in their canonical form. INVALID_ARGUMENT begins with the
// path of the wrong field, for example `spec.recipe.dockerfile_path: path leaves the repository`.
absl::Status NormalizeSpec(v1::BuildSpec& spec);

// Copies what the stores filter and publish by from a normalized, resolved spec.
void DescribeSpec(const v1::BuildSpec& spec, NewBuild& build);

// Copies what the stores act on from a normalized policy; after DescribeSpec and once build.rule_id is set. Builds of
// one rule and ref are a group unless the policy names another.
void DescribePolicy(const davit::common::v1::BuildPolicy& policy, NewBuild& build);

// The registry ("host:port") of a normalized spec's destination.
std::string RegistryOf(const v1::BuildSpec& spec);

}  // namespace davit::scheduler
