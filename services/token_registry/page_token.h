// The opaque texts by which callers continue a listing. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// What a listing's page_size and page_token ask for. INVALID_ARGUMENT `page_size: …`, `page_token: …`.
absl::StatusOr<Page> ParsePage(int page_size, absl::string_view page_token);

// The page to ask the store for: one record more, which tells whether there is a next page.
Page OneMore(Page page);

// The page_token that continues after the record with this key.
std::string FormatPageToken(absl::string_view last_key);

// Cuts `records`, fetched with OneMore, to the page's size; returns the next page's token, empty when there is none.
// `key` gives what the listing is ordered by.
template <typename Record>
std::string CutToPage(std::vector<Record>& records, const Page& page, std::string Record::*key) {
  if (records.size() <= static_cast<size_t>(page.size)) return "";
  records.resize(page.size);
  return FormatPageToken(records.back().*key);
}

}  // namespace davit::token_registry
