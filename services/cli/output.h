// How results are shown: JSON documents, tables, and the small texts in them. Pure functions; any thread.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace davit::cli {

// protobuf's JSON mapping with the field names of the .proto files, indented, ended by a newline.
std::string ToJson(const google::protobuf::Message& message);

// Rows under a header, columns aligned; characters that would disturb a terminal are replaced.
std::string ToTable(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

// "name: value" lines, aligned, without those whose value is empty.
std::string ToFields(const std::vector<std::pair<std::string, std::string>>& fields);

// An enum's value as people write it: BUILD_STATE_TIMED_OUT with the prefix BUILD_STATE_ is "timed-out"; the value 0 is
// "".
std::string EnumText(absl::string_view name, absl::string_view prefix);

// "2026-01-31 23:59:59Z"; empty for an unset time.
std::string TimeText(const google::protobuf::Timestamp& time);

// The time between two moments, "1m5s"; empty unless both are set.
std::string DurationText(const google::protobuf::Timestamp& start, const google::protobuf::Timestamp& end);

// "refs/heads/main" as "main", "refs/tags/v1" as "tag v1".
std::string RefText(absl::string_view ref);

// `text` without control characters (a server's or a provider's text must not steer the terminal); newlines become
// spaces.
std::string Printable(absl::string_view text);

}  // namespace davit::cli
