// Pages of lists: their sizes and where the next one begins. Owns nothing; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::rule_engine {

// How many entries a page has: 50 for 0. INVALID_ARGUMENT "page_size: …" outside 0 to 500.
absl::StatusOr<int> PageSize(int32_t requested);

// The token behind which the text is not to be seen by clients as something to build themselves; "" for "".
std::string EncodePageToken(absl::string_view text);

// The text of a token; INVALID_ARGUMENT "page_token: …" when it is none.
absl::StatusOr<std::string> DecodePageToken(absl::string_view token);

// The positive number in a token that was made of one; 0 for "". INVALID_ARGUMENT "page_token: …" when it is none.
absl::StatusOr<int64_t> DecodePosition(absl::string_view token);

}  // namespace davit::rule_engine
