// Fuzzes what a webhook's body goes through. The input's first byte chooses provider and content type, the rest is the
// body.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "libs/git/url.h"
#include "services/webhook_gateway/payload.h"
#include "services/webhook_gateway/push_payload.h"
#include "tests/fuzz/check.h"

namespace davit::webhook_gateway {
namespace {

constexpr size_t kLargestMessage = size_t{6} << 20;

bool IsHexadecimal(const std::string& id) {
  return id.size() == 40 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void TryBody(registry::v1::Provider provider, const char* content_type, absl::string_view body) {
  std::string decoded;
  const absl::StatusOr<absl::string_view> text = JsonText(content_type, body, decoded);
  if (!text.ok()) return;
  const absl::StatusOr<JsonDocument> payload = JsonDocument::Parse(*text);
  if (!payload.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(payload.status()));
    // What is JSON for the one parser is JSON for the other, but for what the message names.
    FUZZ_CHECK(!absl::StartsWith(payload.status().message(), "invalid JSON: "));
    return;
  }
  FUZZ_CHECK(nlohmann::json::accept(text->begin(), text->end()));
  const absl::StatusOr<rules::v1::PushEvent> push = NormalizePush(provider, *payload);
  if (!push.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(push.status()));
    return;
  }
  FUZZ_CHECK(!push->repository().empty());
  FUZZ_CHECK(git::CheckRefName(push->ref()).ok());
  FUZZ_CHECK(IsHexadecimal(push->before()) && IsHexadecimal(push->after()));
  IsDeletion(*push);
  IsBranchOrTag(*push);
  // Protobuf refuses text that is not UTF-8 when it reads, not when it writes: the rule-engine must be able to read.
  const std::string message = push->SerializeAsString();
  rules::v1::PushEvent read;
  FUZZ_CHECK(message.size() < kLargestMessage);
  FUZZ_CHECK(read.ParseFromString(message));
}

}  // namespace
}  // namespace davit::webhook_gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto provider =
      (data[0] & 1) != 0 ? davit::registry::v1::PROVIDER_GITLAB : davit::registry::v1::PROVIDER_GITHUB;
  const char* content_type = (data[0] & 2) != 0 ? "application/x-www-form-urlencoded" : "application/json";
  davit::webhook_gateway::TryBody(provider, content_type, body);
  return 0;
}
