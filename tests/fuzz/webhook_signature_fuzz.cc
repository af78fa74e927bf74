// Fuzzes the proof of a webhook's origin. The input is header lines (`Name: value`), an empty line, and the body.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/crypto/hash.h"
#include "services/webhook_gateway/provider.h"
#include "services/webhook_gateway/standard_signature.h"
#include "tests/fuzz/check.h"

namespace davit::webhook_gateway {
namespace {

constexpr char kKeyBytes[] = "no input of a fuzzer knows this.";
constexpr int64_t kNow = 1614265330;

struct Delivery {
  http::Headers headers;
  std::string body;
};

Delivery Read(absl::string_view input) {
  Delivery delivery;
  while (!input.empty()) {
    const std::pair<absl::string_view, absl::string_view> split = absl::StrSplit(input, absl::MaxSplits('\n', 1));
    input = split.second;
    if (split.first.empty()) break;
    const std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(split.first, absl::MaxSplits(':', 1));
    delivery.headers.Add(field.first, absl::StripAsciiWhitespace(field.second));
  }
  delivery.body = std::string(input);
  return delivery;
}

// Nobody without the secret is taken for the sender.
void TryForeign(const Delivery& delivery) {
  const crypto::SecretString key(absl::StrCat("whsec_", absl::Base64Escape(kKeyBytes)));
  for (const auto provider :
       {registry::v1::PROVIDER_GITHUB, registry::v1::PROVIDER_GITLAB, registry::v1::PROVIDER_GENERIC_GIT}) {
    for (const crypto::SecretString& secret : {key, crypto::SecretString(kKeyBytes), crypto::SecretString()}) {
      const Proof proof = ProofOf(provider, delivery.headers, secret);
      const absl::Status verified =
          VerifySender(proof, delivery.headers, delivery.body, secret, absl::FromUnixSeconds(kNow));
      FUZZ_CHECK(absl::IsUnauthenticated(verified));
      const absl::StatusOr<std::string> id = DeliveryId(proof, delivery.headers, delivery.body);
      if (id.ok()) FUZZ_CHECK(!id->empty() && id->size() <= 200);
    }
    static_cast<void>(EventName(provider, delivery.headers).ok());
  }
  for (const auto& [name, value] : KeptHeaders(delivery.headers)) FUZZ_CHECK(value.size() <= 1024);
}

// Who has the key is taken for the sender when the time is right.
void TryGenuine(Delivery delivery) {
  const crypto::SecretString key(absl::StrCat("whsec_", absl::Base64Escape(kKeyBytes)));
  const std::string id = delivery.headers.Get(kStandardId).value_or("");
  const std::string timestamp = delivery.headers.Get(kStandardTimestamp).value_or("");
  const std::string signature =
      absl::Base64Escape(crypto::HmacSha256(kKeyBytes, absl::StrCat(id, ".", timestamp, ".", delivery.body)));
  delivery.headers.Set(kStandardSignature,
                       absl::StrCat(delivery.headers.Get(kStandardSignature).value_or(""), " v1,", signature));
  int64_t seconds = -1;
  const bool digits = !timestamp.empty() && timestamp.size() <= 12 &&
                      timestamp.find_first_not_of("0123456789") == std::string::npos &&
                      absl::SimpleAtoi(timestamp, &seconds);
  const bool expected = delivery.headers.Has(kStandardId) && id.find('.') == std::string::npos && digits &&
                        seconds >= kNow - 300 && seconds <= kNow + 300;
  FUZZ_CHECK(VerifyStandardSignature(delivery.headers, delivery.body, key, absl::FromUnixSeconds(kNow)).ok() ==
             expected);
}

}  // namespace
}  // namespace davit::webhook_gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto delivery = davit::webhook_gateway::Read(absl::string_view(reinterpret_cast<const char*>(data), size));
  davit::webhook_gateway::TryForeign(delivery);
  davit::webhook_gateway::TryGenuine(delivery);
  return 0;
}
