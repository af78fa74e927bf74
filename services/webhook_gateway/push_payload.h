// A push as GitHub or GitLab tells it → the one form that the rule engine takes. Pure functions; any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "davit/registry/v1/connection.pb.h"
#include "davit/rules/v1/event.pb.h"

namespace davit::webhook_gateway {

// Reads the payload of a push event. Only the repository, the ref and the commits before and after must be there;
// everything else is taken when it has the expected form and left out otherwise. INVALID_ARGUMENT: `payload.FIELD: …`,
// or `invalid ref: …`. Commits and paths beyond the contract's bounds are cut, oldest first, and `commits_truncated`
// says so.
absl::StatusOr<rules::v1::PushEvent> NormalizePush(registry::v1::Provider provider, const nlohmann::json& payload);

// Whether the push deletes its ref.
bool IsDeletion(const rules::v1::PushEvent& push);

// Whether the ref is a branch or a tag.
bool IsBranchOrTag(const rules::v1::PushEvent& push);

}  // namespace davit::webhook_gateway
