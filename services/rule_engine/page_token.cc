// Page tokens are base64url. Owns nothing; stateless.
#include "services/rule_engine/page_token.h"

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "libs/status/status_macros.h"

namespace davit::rule_engine {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 500;

absl::Status NoToken() { return absl::InvalidArgumentError("page_token: not a next_page_token of an earlier answer"); }

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
  if (!absl::WebSafeBase64Unescape(token, &text)) return NoToken();
  return text;
}

absl::StatusOr<int64_t> DecodePosition(absl::string_view token) {
  DAVIT_ASSIGN_OR_RETURN(const std::string text, DecodePageToken(token));
  int64_t position = 0;
  if (!text.empty() && (!absl::SimpleAtoi(text, &position) || position <= 0)) return NoToken();
  return position;
}

}  // namespace davit::rule_engine
