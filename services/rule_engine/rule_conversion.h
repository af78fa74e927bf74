// Rules between their domain form, their protobuf message and their JSON in the store. Owns nothing; any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/rules/v1/rule.pb.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// The message that clients see; the etag stands for the version.
rules::v1::Rule ToProto(const Rule& rule);

// The writable fields of a client's message; what the server sets (id, times, version) is left alone in `rule`.
void AssignWritable(const rules::v1::Rule& message, Rule& rule);

// Trigger, recipe, destination and tag templates as the JSON of a davit.rules.v1.Rule, for the column rules.spec.
absl::StatusOr<std::string> SpecToJson(const Rule& rule);

// Reads the column rules.spec into `rule`. Fields that a newer version wrote are ignored.
absl::Status SpecFromJson(const std::string& json, Rule& rule);

// The version behind an etag; INVALID_ARGUMENT "rule.etag: …" when it is none.
absl::StatusOr<int64_t> VersionFromEtag(absl::string_view etag);

}  // namespace davit::rule_engine
