// Signed deliveries in the form of the Standard Webhooks specification, which GitLab's signing tokens follow. Pure
// functions; any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/crypto/secret.h"
#include "libs/http/headers.h"

namespace davit::webhook_gateway {

// The header that names a signed delivery. It is signed, and it is the same when the delivery is sent again.
inline constexpr char kStandardId[] = "webhook-id";
inline constexpr char kStandardTimestamp[] = "webhook-timestamp";
inline constexpr char kStandardSignature[] = "webhook-signature";

// Whether the secret is a signing key: `whsec_` and base64.
bool IsSigningKey(const crypto::SecretString& secret);

// Whether a holder of the key sent this within five minutes of `now`: `webhook-signature` lists, separated by spaces,
// `v1,` and base64 of HMAC-SHA-256 over `webhook-id.webhook-timestamp.body`, and one of them is right. Entries of other
// versions are passed over. UNAUTHENTICATED: `missing HEADER`, `invalid webhook-id: …`, `invalid webhook-timestamp: …`,
// `signature mismatch`, `timestamp outside 5 min`.
absl::Status VerifyStandardSignature(const http::Headers& headers, absl::string_view body,
                                     const crypto::SecretString& key, absl::Time now);

}  // namespace davit::webhook_gateway
