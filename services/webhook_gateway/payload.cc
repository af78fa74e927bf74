// Implements payload.h.
#include "services/webhook_gateway/payload.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/status/status_macros.h"

namespace davit::webhook_gateway {
namespace {

constexpr int kMaxNesting = 64;
constexpr int kMaxValues = 1'000'000;

// Looks at brackets and commas outside strings only, so that the parser never sees what would make it deep or large.
absl::Status CheckShape(absl::string_view text) {
  int depth = 0;
  int values = 1;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxNesting) return absl::InvalidArgumentError(absl::StrCat("nesting over ", kMaxNesting));
      ++values;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',') {
      ++values;
    }
    if (values > kMaxValues) return absl::InvalidArgumentError(absl::StrCat("over ", kMaxValues, " values"));
  }
  return absl::OkStatus();
}

int HexDigit(char c) {
  if (absl::ascii_isdigit(c)) return c - '0';
  if (!absl::ascii_isxdigit(c)) return -1;
  return absl::ascii_tolower(c) - 'a' + 10;
}

std::string DecodeFormValue(absl::string_view value) {
  std::string decoded;
  decoded.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const int high = value[i] == '%' && i + 2 < value.size() ? HexDigit(value[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(value[i + 2]) : -1;
    if (low >= 0) {
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(value[i] == '+' ? ' ' : value[i]);
    }
  }
  return decoded;
}

}  // namespace

absl::StatusOr<nlohmann::json> ParseJson(absl::string_view body) {
  DAVIT_RETURN_IF_ERROR(CheckShape(body));
  try {
    return nlohmann::json::parse(body.begin(), body.end());
  } catch (const nlohmann::json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat("invalid JSON at byte ", error.byte));
  } catch (const nlohmann::json::exception&) {  // a number out of every range
    return absl::InvalidArgumentError("invalid JSON at byte 1");
  }
}

absl::StatusOr<std::string> JsonText(absl::string_view content_type, absl::string_view body) {
  if (!absl::StartsWithIgnoreCase(content_type, "application/x-www-form-urlencoded")) return std::string(body);
  for (absl::string_view field : absl::StrSplit(body, '&')) {
    if (absl::ConsumePrefix(&field, "payload=")) return DecodeFormValue(field);
  }
  return absl::InvalidArgumentError("form has no payload");
}

}  // namespace davit::webhook_gateway
