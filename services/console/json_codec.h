// Protobuf messages as JSON, as protobuf's own mapping has them. Pure functions; any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}

namespace davit::console {

// Reads a request. INVALID_ARGUMENT begins with the field's path and never repeats its value, which may be a secret.
absl::Status ParseJson(absl::string_view json, google::protobuf::Message& message);

// Writes a message with the field names of the .proto files; fields that have their default are written too.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

}  // namespace davit::console
