// Implements page_token.h.
#include "services/token_registry/page_token.h"

#include "absl/strings/escaping.h"

namespace davit::token_registry {
namespace {

constexpr int kDefaultSize = 50;
constexpr int kMaxSize = 500;

}  // namespace

absl::StatusOr<Page> ParsePage(int page_size, absl::string_view page_token) {
  if (page_size < 0 || page_size > kMaxSize) {
    return absl::InvalidArgumentError("page_size: must be 1 to 500, or 0 for the default of 50");
  }
  Page page;
  page.size = page_size == 0 ? kDefaultSize : page_size;
  if (!absl::WebSafeBase64Unescape(page_token, &page.after)) {
    return absl::InvalidArgumentError("page_token: is not a next_page_token of an earlier page");
  }
  return page;
}

Page OneMore(Page page) {
  ++page.size;
  return page;
}

std::string FormatPageToken(absl::string_view last_key) { return absl::WebSafeBase64Escape(last_key); }

}  // namespace davit::token_registry
