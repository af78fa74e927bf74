// What makes a build policy acceptable, checked alike wherever a client hands one in. Owns nothing; stateless, usable
// from any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "davit/common/v1/build_policy.pb.h"

namespace davit::recipe {

// How often a build is tried again after a failure of the infrastructure unless its policy says.
inline constexpr int kDefaultInfrastructureRetries = 2;

// Checks every field of `policy` and writes it in one form: what says the same as an unset field is unset.
// INVALID_ARGUMENT with the field's path in front, which begins with `field` ("policy.priority: …").
absl::Status NormalizePolicy(absl::string_view field, common::v1::BuildPolicy& policy);

}  // namespace davit::recipe
