// What the gateway knows about each provider's deliveries: where they carry their event, their id and their proof of
// origin. Pure functions; any thread.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "davit/registry/v1/connection.pb.h"
#include "libs/crypto/secret.h"
#include "libs/http/headers.h"

namespace davit::webhook_gateway {

// How a delivery shows that its sender knows the webhook's secret.
enum class Proof {
  kGithubSignature,    // HMAC-SHA-256 of the raw body in X-Hub-Signature-256: GitHub and generic connections
  kGitlabToken,        // the secret itself in X-Gitlab-Token
  kStandardSignature,  // GitLab's signing tokens; see standard_signature.h
};

// The proof that a delivery of a webhook is judged by. A secret of GitLab that is a signing key (`whsec_…`) may stand
// in either field of GitLab's form: a delivery that has a signature is judged by it alone, one without by its token.
// Taking the signature off a delivery gains nothing, since only who knows the key could put the token in its place.
Proof ProofOf(registry::v1::Provider provider, const http::Headers& headers, const crypto::SecretString& secret);

// Whether the sender knows the webhook's secret. Takes as long for a wrong proof as for a right one. UNAUTHENTICATED:
// `missing X-Hub-Signature-256`, `sha256 signature required`, `signature mismatch`, `missing X-Gitlab-Token`, `token
// mismatch`, or what VerifyStandardSignature says.
absl::Status VerifySender(Proof proof, const http::Headers& headers, absl::string_view body,
                          const crypto::SecretString& secret, absl::Time now);

// The delivery's event as the provider names it ("push", "Push Hook"). INVALID_ARGUMENT when its header is missing.
absl::StatusOr<std::string> EventName(registry::v1::Provider provider, const http::Headers& headers);

// Whether the event of that name is a push of a branch or a tag. GitHub's `create` and `delete` are none: GitHub sends
// a push for every ref that comes or goes as well, and that one also tells the commit, which `create` does not.
bool IsPush(registry::v1::Provider provider, absl::string_view event);

// An id that is the same when the provider delivers the same event again. GitHub: X-GitHub-Delivery. Signed deliveries
// of GitLab: webhook-id, which is part of what is signed, so that a replay cannot pass for a new one. Others of GitLab:
// Idempotency-Key, which is stable across retries (GitLab 17.4); before that X-Gitlab-Event-UUID with the body's hash,
// because hooks that a hook triggers share the UUID. INVALID_ARGUMENT: the header is missing or is not 1 to 100
// printable characters.
absl::StatusOr<std::string> DeliveryId(Proof proof, const http::Headers& headers, absl::string_view body);

// The headers that are worth keeping with the event; none that proves anything. At most 1024 printable characters each.
std::map<std::string, std::string> KeptHeaders(const http::Headers& headers);

}  // namespace davit::webhook_gateway
