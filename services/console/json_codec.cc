// Implements json_codec.h over protobuf's util.
#include "services/console/json_codec.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <re2/re2.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace davit::console {
namespace {

namespace util = google::protobuf::util;

// protobuf says "(rule.recipe) nosuch: Cannot find field.", "(page_size): invalid value "x" for type TYPE_INT32" and,
// for what is not JSON, a text with an excerpt.
absl::Status Explain(const std::string& message) {
  static const RE2& unknown = *new RE2(R"((?:\((.*?)\) )?([A-Za-z0-9_]+): Cannot find field\.)");
  static const RE2& invalid = *new RE2(R"((?s)\((.*?)\): invalid value .* for type (?:TYPE_)?([A-Za-z0-9_.]+))");
  std::string path, detail;
  if (RE2::FullMatch(message, unknown, &path, &detail)) {
    return absl::InvalidArgumentError(absl::StrCat(path, path.empty() ? "" : ".", detail, ": there is no such field"));
  }
  if (RE2::FullMatch(message, invalid, &path, &detail)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, path.empty() ? "" : ": ", "expected a value of type ", absl::AsciiStrToLower(detail)));
  }
  return absl::InvalidArgumentError("the body is not the JSON of this request");
}

}  // namespace

absl::Status ParseJson(absl::string_view json, google::protobuf::Message& message) {
  const auto parsed = util::JsonStringToMessage({json.data(), json.size()}, &message);
  if (parsed.ok()) return absl::OkStatus();
  return Explain(std::string(parsed.message().data(), parsed.message().size()));
}

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto written = util::MessageToJsonString(message, &json, options);
  if (!written.ok()) return absl::InternalError("an answer cannot be written as JSON");
  return json;
}

}  // namespace davit::console
