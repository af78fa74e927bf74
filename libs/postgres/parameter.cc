// Implements parameter.h.
#include "libs/postgres/parameter.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace davit::postgres {
namespace {

std::string TimeText(absl::Time time) {
  if (time == absl::InfiniteFuture()) return "infinity";
  if (time == absl::InfinitePast()) return "-infinity";
  return absl::FormatTime("%Y-%m-%d %H:%M:%E6S+00", time, absl::UTCTimeZone());
}

std::string BytesText(absl::string_view bytes) { return absl::StrCat("\\x", absl::BytesToHexString(bytes)); }

// Adds text to a quoted element: quotes and backslashes are escaped.
void AppendEscaped(absl::string_view text, std::string& literal) {
  while (true) {
    const size_t special = text.find_first_of("\"\\");
    literal.append(text.data(), std::min(special, text.size()));
    if (special == absl::string_view::npos) return;
    literal.push_back('\\');
    literal.push_back(text[special]);
    text.remove_prefix(special + 1);
  }
}

// An array's literal: {"a","b"}.
template <typename Values, typename ToText>
std::string ArrayText(const Values& values, ToText to_text) {
  std::string literal = "{";
  for (const auto& value : values) {
    if (literal.size() > 1) literal.push_back(',');
    literal.push_back('"');
    AppendEscaped(to_text(value), literal);
    literal.push_back('"');
  }
  literal.push_back('}');
  return literal;
}

}  // namespace

Parameter::Parameter(absl::Time time) : text_(TimeText(time)) {}

Parameter::Parameter(absl::Duration duration)
    : text_(absl::StrCat(absl::ToInt64Microseconds(duration), " microseconds")) {}

Parameter::Parameter(Bytes bytes) : text_(BytesText(bytes.value)) {}

Parameter::Parameter(double value) : text_(absl::StrFormat("%.17g", value)) {}

Parameter::Parameter(const std::vector<std::string>& texts)
    : text_(ArrayText(texts, [](const std::string& text) -> const std::string& { return text; })) {}

Parameter::Parameter(const std::vector<Bytes>& values)
    : text_(ArrayText(values, [](const Bytes& bytes) { return BytesText(bytes.value); })) {}

Parameter::Parameter(const std::vector<int64_t>& integers)
    : text_(absl::StrCat("{", absl::StrJoin(integers, ","), "}")) {}

Parameter::Parameter(const std::vector<int32_t>& integers)
    : text_(absl::StrCat("{", absl::StrJoin(integers, ","), "}")) {}

Parameter::Parameter(const std::vector<absl::Time>& times) : text_(ArrayText(times, TimeText)) {}

}  // namespace davit::postgres
