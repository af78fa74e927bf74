// Implements standard_signature.h. Source: the Standard Webhooks specification, "Verifying webhook authenticity".
#include "services/webhook_gateway/standard_signature.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/crypto/hash.h"

namespace davit::webhook_gateway {
namespace {

constexpr char kKeyPrefix[] = "whsec_";
constexpr char kVersion[] = "v1,";
constexpr absl::Duration kWindow = absl::Minutes(5);
constexpr size_t kMaxTimestampDigits = 12;

absl::Status Missing(absl::string_view header) { return absl::UnauthenticatedError(absl::StrCat("missing ", header)); }

// The signature that a holder of the key makes; nothing when the key is none.
std::optional<std::string> Sign(const crypto::SecretString& key, absl::string_view content) {
  const absl::string_view encoded = absl::StripPrefix(key.Reveal(), kKeyPrefix);
  std::string bytes;
  const bool decoded = absl::Base64Unescape(encoded, &bytes);
  std::optional<std::string> signature;
  if (decoded && !bytes.empty()) signature = absl::Base64Escape(crypto::HmacSha256(bytes, content));
  crypto::Wipe(bytes);
  return signature;
}

bool IsAnyOf(absl::string_view list, absl::string_view expected) {
  bool found = false;
  for (absl::string_view entry : absl::StrSplit(list, ' ', absl::SkipEmpty())) {
    if (absl::ConsumePrefix(&entry, kVersion) && crypto::ConstantTimeEquals(entry, expected)) found = true;
  }
  return found;
}

}  // namespace

bool IsSigningKey(const crypto::SecretString& secret) { return absl::StartsWith(secret.Reveal(), kKeyPrefix); }

absl::Status VerifyStandardSignature(const http::Headers& headers, absl::string_view body,
                                     const crypto::SecretString& key, absl::Time now) {
  const std::string* signatures = headers.Find(kStandardSignature);
  if (signatures == nullptr) return Missing(kStandardSignature);
  const std::string* id = headers.Find(kStandardId);
  if (id == nullptr) return Missing(kStandardId);
  const std::string* timestamp = headers.Find(kStandardTimestamp);
  if (timestamp == nullptr) return Missing(kStandardTimestamp);
  // With a dot in it, parts of the signed text could be moved from one header to the other.
  if (absl::StrContains(*id, '.')) return absl::UnauthenticatedError("invalid webhook-id: expected no '.'");
  int64_t seconds = 0;
  if (timestamp->size() > kMaxTimestampDigits || timestamp->find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(*timestamp, &seconds)) {
    return absl::UnauthenticatedError("invalid webhook-timestamp: expected seconds since 1970");
  }
  const std::optional<std::string> expected = Sign(key, absl::StrCat(*id, ".", *timestamp, ".", body));
  if (!expected || !IsAnyOf(*signatures, *expected)) return absl::UnauthenticatedError("signature mismatch");
  if (absl::AbsDuration(now - absl::FromUnixSeconds(seconds)) > kWindow) {
    return absl::UnauthenticatedError("timestamp outside 5 min");
  }
  return absl::OkStatus();
}

}  // namespace davit::webhook_gateway
