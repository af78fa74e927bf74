// Implements provider.h. Sources: docs.github.com "Webhook events and payloads" and "Validating webhook deliveries";
// docs.gitlab.com "Webhooks" (delivery headers) and "Webhook events".
#include "services/webhook_gateway/provider.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/crypto/hash.h"
#include "services/webhook_gateway/standard_signature.h"

namespace davit::webhook_gateway {
namespace {

using registry::v1::Provider;
using registry::v1::PROVIDER_GITLAB;

constexpr char kGithubSignature[] = "X-Hub-Signature-256";
constexpr char kGithubOldSignature[] = "X-Hub-Signature";
constexpr char kGithubDelivery[] = "X-GitHub-Delivery";
constexpr char kGithubEvent[] = "X-GitHub-Event";
constexpr char kGitlabToken[] = "X-Gitlab-Token";
constexpr char kGitlabEvent[] = "X-Gitlab-Event";
constexpr char kGitlabEventUuid[] = "X-Gitlab-Event-UUID";
constexpr char kIdempotencyKey[] = "Idempotency-Key";

constexpr const char* kKept[] = {
    kGithubEvent,
    kGithubDelivery,
    "X-GitHub-Hook-ID",
    "X-GitHub-Hook-Installation-Target-Type",
    "X-GitHub-Hook-Installation-Target-ID",
    kGitlabEvent,
    kGitlabEventUuid,
    "X-Gitlab-Webhook-UUID",
    "X-Gitlab-Instance",
    kIdempotencyKey,
    kStandardId,
    kStandardTimestamp,
    "User-Agent",
    "Content-Type",
};

constexpr size_t kMaxDeliveryId = 100;
constexpr size_t kMaxKeptValue = 1024;

bool IsPrintable(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

absl::Status VerifySignature(const http::Headers& headers, absl::string_view body, const crypto::SecretString& secret) {
  const std::string* given = headers.Find(kGithubSignature);
  if (given == nullptr) {
    return absl::UnauthenticatedError(headers.Has(kGithubOldSignature) ? "sha256 signature required"
                                                                       : absl::StrCat("missing ", kGithubSignature));
  }
  const std::string lower = absl::AsciiStrToLower(*given);
  absl::string_view digits = lower;
  const bool sha256 = absl::ConsumePrefix(&digits, "sha256=");
  const std::string expected = absl::BytesToHexString(crypto::HmacSha256(secret.Reveal(), body));
  // Without a secret everybody could sign.
  if (secret.empty() || !sha256 || !crypto::ConstantTimeEquals(digits, expected)) {
    return absl::UnauthenticatedError("signature mismatch");
  }
  return absl::OkStatus();
}

absl::Status VerifyToken(const http::Headers& headers, const crypto::SecretString& secret) {
  const std::string* given = headers.Find(kGitlabToken);
  if (given == nullptr) return absl::UnauthenticatedError(absl::StrCat("missing ", kGitlabToken));
  // Hashes are compared so that not even the secret's length shows.
  if (secret.empty() || !crypto::ConstantTimeEquals(crypto::Sha256(*given), crypto::Sha256(secret.Reveal()))) {
    return absl::UnauthenticatedError("token mismatch");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CheckedId(absl::string_view header, const std::string& value) {
  if (!value.empty() && value.size() <= kMaxDeliveryId && IsPrintable(value)) return value;
  return absl::InvalidArgumentError(
      absl::StrCat("invalid ", header, ": expected 1 to ", kMaxDeliveryId, " characters"));
}

}  // namespace

Proof ProofOf(Provider provider, const http::Headers& headers, const crypto::SecretString& secret) {
  if (provider != PROVIDER_GITLAB) return Proof::kGithubSignature;
  if (!IsSigningKey(secret)) return Proof::kGitlabToken;
  const bool token_alone = headers.Has(kGitlabToken) && !headers.Has(kStandardSignature);
  return token_alone ? Proof::kGitlabToken : Proof::kStandardSignature;
}

absl::Status VerifySender(Proof proof, const http::Headers& headers, absl::string_view body,
                          const crypto::SecretString& secret, absl::Time now) {
  switch (proof) {
    case Proof::kGithubSignature:
      return VerifySignature(headers, body, secret);
    case Proof::kGitlabToken:
      return VerifyToken(headers, secret);
    case Proof::kStandardSignature:
      return VerifyStandardSignature(headers, body, secret, now);
  }
  return absl::UnauthenticatedError("no proof of origin");
}

absl::StatusOr<std::string> EventName(Provider provider, const http::Headers& headers) {
  const char* header = provider == PROVIDER_GITLAB ? kGitlabEvent : kGithubEvent;
  const std::string* event = headers.Find(header);
  if (event == nullptr || event->empty()) return absl::InvalidArgumentError(absl::StrCat("missing ", header));
  return *event;
}

bool IsPush(Provider provider, absl::string_view event) {
  if (provider == PROVIDER_GITLAB) return event == "Push Hook" || event == "Tag Push Hook";
  return event == "push";
}

absl::StatusOr<std::string> DeliveryId(Proof proof, const http::Headers& headers, absl::string_view body) {
  if (proof != Proof::kGitlabToken) {
    const char* header = proof == Proof::kGithubSignature ? kGithubDelivery : kStandardId;
    const std::string* id = headers.Find(header);
    if (id == nullptr) return absl::InvalidArgumentError(absl::StrCat("missing ", header));
    return CheckedId(header, *id);
  }
  if (const std::string* key = headers.Find(kIdempotencyKey)) return CheckedId(kIdempotencyKey, *key);
  const std::string hash = crypto::Sha256Hex(body);
  const std::string* uuid = headers.Find(kGitlabEventUuid);
  if (uuid == nullptr) return hash;
  const absl::StatusOr<std::string> checked = CheckedId(kGitlabEventUuid, *uuid);
  if (!checked.ok()) return checked.status();
  return absl::StrCat(*checked, ":", hash);
}

std::map<std::string, std::string> KeptHeaders(const http::Headers& headers) {
  std::map<std::string, std::string> kept;
  for (const char* name : kKept) {
    const std::string* given = headers.Find(name);
    if (given == nullptr) continue;
    std::string value = given->substr(0, kMaxKeptValue);
    std::replace_if(
        value.begin(), value.end(), [](char c) { return !absl::ascii_isprint(static_cast<unsigned char>(c)); }, '?');
    kept.emplace(name, std::move(value));
  }
  return kept;
}

}  // namespace davit::webhook_gateway
