// A push as GitHub or GitLab tells it → the one form that the rule engine takes. Pure functions; any thread.
#pragma once

#include "absl/status/statusor.h"
#include "davit/registry/v1/connection.pb.h"
#include "davit/rules/v1/event.pb.h"
#include "services/webhook_gateway/payload.h"

namespace davit::webhook_gateway {

// Reads the payload of a push event. Only the repository, the ref and the commits before and after must be there;
// everything else is taken when it has the expected form and left out otherwise. Of a key that an object has twice the
// last one counts. INVALID_ARGUMENT: `payload.FIELD: …`,
// or `invalid ref: …`. Commits and paths beyond the contract's bounds are cut, oldest first, and `commits_truncated`
// says so.
absl::StatusOr<rules::v1::PushEvent> NormalizePush(registry::v1::Provider provider, const JsonDocument& document);

// Whether the push deletes its ref.
bool IsDeletion(const rules::v1::PushEvent& push);

// Whether the ref is a branch or a tag.
bool IsBranchOrTag(const rules::v1::PushEvent& push);

}  // namespace davit::webhook_gateway
