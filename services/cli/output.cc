// Implements output.h.
#include "services/cli/output.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace davit::cli {
namespace {

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

bool IsSet(const google::protobuf::Timestamp& time) { return time.seconds() != 0 || time.nanos() != 0; }

// Characters rather than bytes: continuation bytes of UTF-8 take no column.
size_t Columns(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void AppendRow(std::string& out, const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    absl::StrAppend(&line, cells[i], std::string(widths[i] - Columns(cells[i]) + 2, ' '));
  }
  absl::StrAppend(&out, absl::StripTrailingAsciiWhitespace(line), "\n");
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return "{}\n";
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

std::string ToTable(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> lines = {header};
  for (const std::vector<std::string>& row : rows) {
    lines.emplace_back();
    for (const std::string& cell : row) lines.back().push_back(cell.empty() ? "-" : Printable(cell));
  }
  std::vector<size_t> widths(header.size());
  for (const std::vector<std::string>& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Columns(line[i]));
  }
  std::string out;
  for (const std::vector<std::string>& line : lines) AppendRow(out, line, widths);
  return out;
}

std::string ToFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) width = std::max(width, name.size());
  }
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!value.empty())
      absl::StrAppend(&out, name, ":", std::string(width - name.size() + 1, ' '), Printable(value), "\n");
  }
  return out;
}

std::string EnumText(absl::string_view name, absl::string_view prefix) {
  const std::string text = absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, prefix)), {{"_", "-"}});
  return text == "unspecified" ? "" : text;
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (!IsSet(time)) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", ToTime(time), absl::UTCTimeZone());
}

std::string DurationText(const google::protobuf::Timestamp& start, const google::protobuf::Timestamp& end) {
  if (!IsSet(start) || !IsSet(end)) return "";
  const absl::Duration took = ToTime(end) - ToTime(start);
  return absl::FormatDuration(absl::Trunc(took, took < absl::Seconds(10) ? absl::Milliseconds(100) : absl::Seconds(1)));
}

std::string RefText(absl::string_view ref) {
  if (absl::ConsumePrefix(&ref, "refs/heads/")) return std::string(ref);
  if (absl::ConsumePrefix(&ref, "refs/tags/")) return absl::StrCat("tag ", ref);
  return std::string(ref);
}

std::string Printable(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\t') {
      out += ' ';
    } else if (!absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      out += c;
    }
  }
  return out;
}

}  // namespace davit::cli
