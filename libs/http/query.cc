// Implements query.h.
#include "libs/http/query.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace davit::http {

std::string PercentDecode(absl::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded += text[i] == '+' && plus == Plus::kIsSpace ? ' ' : text[i];
    }
  }
  return decoded;
}

Query::Query(absl::string_view text) {
  for (const absl::string_view part : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(part, absl::MaxSplits('=', 1));
    values_.emplace(PercentDecode(field.first, Plus::kIsSpace), PercentDecode(field.second, Plus::kIsSpace));
  }
}

std::string Query::Get(absl::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "" : found->second;
}

absl::StatusOr<int64_t> Query::GetNumber(absl::string_view name) const {
  const std::string text = Get(name);
  int64_t number = 0;
  if (!text.empty() && (!absl::SimpleAtoi(text, &number) || number < 0)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": expected a number from 0 on"));
  }
  return number;
}

}  // namespace davit::http
