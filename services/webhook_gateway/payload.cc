// Implements payload.h.
#include "services/webhook_gateway/payload.h"

#include <cstddef>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>

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
constexpr size_t kSmallText = size_t{64} << 10;  // too short for kMaxValues
constexpr size_t kMaxShownDigits = 40;
constexpr char kByteOrderMark[] = "\xef\xbb\xbf";

// Looks at brackets, colons and commas outside strings only, so that the parser never sees what would make it deep or
// large. Colons are counted for themselves: JSON has fewer of them than values.
absl::Status CheckShape(absl::string_view text) {
  int depth = 0;
  int values = 1;
  int colons = 0;
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
    } else if (c == ':') {
      ++colons;
    }
    if (values > kMaxValues || colons > kMaxValues)
      return absl::InvalidArgumentError(absl::StrCat("over ", kMaxValues, " values"));
  }
  return absl::OkStatus();
}

// Finds the place at which JSON ends to be JSON; simdjson tells only that it does. Keeps no values.
class FaultFinder : public nlohmann::json::json_sax_t {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t& text) override {
    if (text.find_first_of(".eE") == std::string::npos && !long_integer_) long_integer_ = text;
    return true;
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    byte_ = position;
    return false;
  }

  // Of the byte that cannot follow, from 1.
  std::optional<size_t> byte() const { return byte_; }
  // The first integer that no 64-bit type holds: JSON, but nothing that the parser takes.
  const std::optional<std::string>& long_integer() const { return long_integer_; }

 private:
  std::optional<size_t> byte_;
  std::optional<std::string> long_integer_;
};

// Says why simdjson refused a text.
absl::Status Explain(absl::string_view text, simdjson::error_code error) {
  FaultFinder finder;
  nlohmann::json::sax_parse(text.begin(), text.end(), &finder);
  if (finder.byte()) return absl::InvalidArgumentError(absl::StrCat("invalid JSON at byte ", *finder.byte()));
  if (finder.long_integer()) {
    return absl::InvalidArgumentError(
        absl::StrCat("integer over 64 bits: ", finder.long_integer()->substr(0, kMaxShownDigits)));
  }
  // For the finder, a text ends at a NUL outside its strings.
  if (const size_t end = text.find('\0'); end != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("invalid JSON at byte ", end + 1));
  }
  return absl::InvalidArgumentError(absl::StrCat("invalid JSON: ", simdjson::error_message(error)));
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

// What this thread parses its next small text with; null while a document has it.
thread_local std::unique_ptr<simdjson::dom::parser> small_parser;

}  // namespace

absl::StatusOr<JsonDocument> JsonDocument::Parse(absl::string_view text) {
  const absl::string_view json = absl::StripPrefix(text, kByteOrderMark);
  if (json.size() <= kSmallText) {
    JsonDocument document(TakeSmallParser());
    if (document.Read(json) == simdjson::SUCCESS) return document;
  }
  // A large text, a wrong one, or one that is deeper than a small parser goes.
  DAVIT_RETURN_IF_ERROR(CheckShape(json));
  JsonDocument document(Parser(new simdjson::dom::parser, Release{}));
  const simdjson::error_code error = document.Read(json);
  if (error != simdjson::SUCCESS) return Explain(text, error);
  return document;
}

void JsonDocument::Release::operator()(simdjson::dom::parser* parser) const {
  std::unique_ptr<simdjson::dom::parser> released(parser);
  if (keep && small_parser == nullptr) small_parser = std::move(released);
}

JsonDocument::Parser JsonDocument::TakeSmallParser() {
  if (small_parser != nullptr) return Parser(small_parser.release(), Release{true});
  Parser parser(new simdjson::dom::parser, Release{true});
  // simdjson does not count an innermost level that is empty, and refuses a text whose count reaches the bound: what it
  // takes is never over kMaxNesting, what it refuses may be just that deep.
  if (parser->allocate(kSmallText, kMaxNesting) != simdjson::SUCCESS) throw std::bad_alloc();
  return parser;
}

simdjson::error_code JsonDocument::Read(absl::string_view text) {
  return parser_->parse(text.data(), text.size()).get(root_);
}

absl::StatusOr<absl::string_view> JsonText(absl::string_view content_type, absl::string_view body,
                                           std::string& decoded) {
  if (!absl::StartsWithIgnoreCase(content_type, "application/x-www-form-urlencoded")) return body;
  for (absl::string_view field : absl::StrSplit(body, '&')) {
    if (!absl::ConsumePrefix(&field, "payload=")) continue;
    decoded = DecodeFormValue(field);
    return absl::string_view(decoded);
  }
  return absl::InvalidArgumentError("form has no payload");
}

}  // namespace davit::webhook_gateway
