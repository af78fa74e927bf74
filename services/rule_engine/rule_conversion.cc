// Conversions of rules. Owns nothing; stateless.
#include "services/rule_engine/rule_conversion.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace davit::rule_engine {
namespace {

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

// Calls `assign` for each list of patterns: the rule's, and the message's.
template <typename RuleType, typename TriggerType, typename Assign>
void ForEachPatternList(RuleType& rule, TriggerType& trigger, Assign assign) {
  assign(rule.branches, *trigger.mutable_branches());
  assign(rule.tags, *trigger.mutable_tags());
  assign(rule.exclude_branches, *trigger.mutable_exclude_branches());
  assign(rule.exclude_tags, *trigger.mutable_exclude_tags());
  assign(rule.paths, *trigger.mutable_paths());
  assign(rule.exclude_paths, *trigger.mutable_exclude_paths());
  assign(rule.authors, *trigger.mutable_authors());
  assign(rule.exclude_authors, *trigger.mutable_exclude_authors());
}

// The part of the message that rules.spec holds.
void AssignSpec(const Rule& rule, rules::v1::Rule& message) {
  ForEachPatternList(rule, *message.mutable_trigger(),
                     [](const auto& from, auto& to) { to.Assign(from.begin(), from.end()); });
  message.mutable_trigger()->set_ignore_skip_marks(rule.skip_marks == SkipMarks::kIgnored);
  *message.mutable_recipe() = rule.recipe;
  *message.mutable_destination() = rule.destination;
  message.mutable_tag_templates()->Assign(rule.tag_templates.begin(), rule.tag_templates.end());
  if (rule.policy.ByteSizeLong() > 0) *message.mutable_policy() = rule.policy;
}

void AssignSpec(const rules::v1::Rule& message, Rule& rule) {
  rules::v1::Trigger trigger = message.trigger();
  ForEachPatternList(rule, trigger, [](auto& to, const auto& from) { to.assign(from.begin(), from.end()); });
  rule.skip_marks = trigger.ignore_skip_marks() ? SkipMarks::kIgnored : SkipMarks::kHonoured;
  rule.recipe = message.recipe();
  rule.destination = message.destination();
  rule.tag_templates.assign(message.tag_templates().begin(), message.tag_templates().end());
  rule.policy = message.policy();
}

}  // namespace

rules::v1::Rule ToProto(const Rule& rule) {
  rules::v1::Rule message;
  message.set_id(rule.id);
  message.set_project(rule.project);
  message.set_display_name(rule.display_name);
  message.set_enabled(rule.enabled);
  message.set_connection_id(rule.connection_id);
  message.set_repository(rule.repository);
  AssignSpec(rule, message);
  message.set_etag(absl::StrCat("v", rule.version));
  *message.mutable_create_time() = ToTimestamp(rule.create_time);
  *message.mutable_update_time() = ToTimestamp(rule.update_time);
  return message;
}

void AssignWritable(const rules::v1::Rule& message, Rule& rule) {
  rule.display_name = message.display_name();
  rule.connection_id = message.connection_id();
  rule.repository = message.repository();
  AssignSpec(message, rule);
}

absl::StatusOr<std::string> SpecToJson(const Rule& rule) {
  rules::v1::Rule message;
  AssignSpec(rule, message);
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::InternalError(absl::StrCat("Failed to write a rule as JSON: ", status.ToString()));
  return json;
}

absl::Status SpecFromJson(const std::string& json, Rule& rule) {
  rules::v1::Rule message;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message, options);
  if (!status.ok()) return absl::DataLossError(absl::StrCat("Failed to read rule ", rule.id, ": ", status.ToString()));
  AssignSpec(message, rule);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> VersionFromEtag(absl::string_view etag) {
  int64_t version = 0;
  if (!absl::ConsumePrefix(&etag, "v") || !absl::SimpleAtoi(etag, &version)) {
    return absl::InvalidArgumentError("rule.etag: not an etag of a rule; send back the one that was read");
  }
  return version;
}

}  // namespace davit::rule_engine
