// Page tokens are base64url. Owns nothing; stateless.
#include "services/rule_engine/page_token.h"

#include "absl/strings/escaping.h"

namespace davit::rule_engine {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 500;

}  // namespace

absl::StatusOr<int> PageSize(int32_t requested) {
  if (requested < 0 || requested > kMaxPageSize) {
    return absl::InvalidArgumentError("page_size: outside 1 to 500 (0 = 50)");
  }
  return requested == 0 ? kDefaultPageSize : requested;
}

std::string EncodePageToken(absl::string_view text) { return absl::WebSafeBase64Escape(text); }

absl::StatusOr<std::string> DecodePageToken(absl::string_view token) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) {
    return absl::InvalidArgumentError("page_token: not a next_page_token of an earlier answer");
  }
  return text;
}

}  // namespace davit::rule_engine
