// What the gateway knows about each provider's deliveries: where they carry their event, their id and their proof of
// origin. Pure functions; any thread.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/registry/v1/connection.pb.h"
#include "libs/crypto/secret.h"
#include "libs/http/headers.h"

namespace davit::webhook_gateway {

// Whether the sender knows the webhook's secret. GitHub and generic connections: HMAC-SHA-256 of the raw body in
// X-Hub-Signature-256; GitLab: the secret itself in X-Gitlab-Token. Takes as long for a wrong proof as for a right one.
// UNAUTHENTICATED: `missing X-Hub-Signature-256`, `sha256 signature required`, `signature mismatch`, `missing
// X-Gitlab-Token`, `token mismatch`.
absl::Status VerifySender(registry::v1::Provider provider, const http::Headers& headers, absl::string_view body,
                          const crypto::SecretString& secret);

// The delivery's event as the provider names it ("push", "Push Hook"). INVALID_ARGUMENT when its header is missing.
absl::StatusOr<std::string> EventName(registry::v1::Provider provider, const http::Headers& headers);

// Whether the event of that name is a push of a branch or a tag.
bool IsPush(registry::v1::Provider provider, absl::string_view event);

// An id that is the same when the provider delivers the same event again. GitHub: X-GitHub-Delivery. GitLab:
// Idempotency-Key, which is stable across retries (GitLab 17.4); before that X-Gitlab-Event-UUID with the body's hash,
// because hooks that a hook triggers share the UUID. INVALID_ARGUMENT: the header is missing or is not 1 to 100
// printable characters.
absl::StatusOr<std::string> DeliveryId(registry::v1::Provider provider, const http::Headers& headers,
                                       absl::string_view body);

// The headers that are worth keeping with the event; none that proves anything. At most 1024 printable characters each.
std::map<std::string, std::string> KeptHeaders(const http::Headers& headers);

}  // namespace davit::webhook_gateway
