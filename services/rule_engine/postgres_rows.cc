// Reading of rows. Owns nothing; stateless.
#include "services/rule_engine/postgres_rows.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/rule_conversion.h"

namespace davit::rule_engine {

using postgres::ReadText;
using postgres::ReadTime;

namespace {

std::vector<std::string> TextsOf(const nlohmann::json& array) {
  std::vector<std::string> texts;
  for (const nlohmann::json& text : array) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

ChangedPaths ReadChanges(const std::string& text) {
  const nlohmann::json changes = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!changes.is_object()) return {{}, "the provider's answer cannot be read"};
  return {TextsOf(changes.value("paths", nlohmann::json::array())), changes.value("incomplete", "")};
}

}  // namespace

absl::StatusOr<Rule> ReadRule(const pqxx::row& row) {
  Rule rule;
  rule.id = ReadText(row["id"]);
  rule.project = ReadText(row["project"]);
  rule.display_name = ReadText(row["display_name"]);
  rule.enabled = row["enabled"].as<bool>();
  rule.connection_id = ReadText(row["connection_id"]);
  rule.repository = ReadText(row["repository"]);
  rule.repository_case = row["case_sensitive"].as<bool>() ? NameCase::kSensitive : NameCase::kInsensitive;
  DAVIT_RETURN_IF_ERROR(SpecFromJson(ReadText(row["spec"]), rule));
  rule.version = row["version"].as<int64_t>();
  rule.build_number = row["build_number"].as<int64_t>();
  rule.create_time = ReadTime(row["create_time"]);
  rule.update_time = ReadTime(row["update_time"]);
  return rule;
}

absl::StatusOr<std::vector<Rule>> ReadRules(const pqxx::result& rows) {
  std::vector<Rule> rules;
  for (const pqxx::row& row : rows) {
    DAVIT_ASSIGN_OR_RETURN(Rule rule, ReadRule(row));
    rules.push_back(std::move(rule));
  }
  return rules;
}

absl::StatusOr<Event> ReadEvent(const pqxx::row& row) {
  Event event;
  event.id = ReadText(row["id"]);
  event.project = ReadText(row["project"]);
  const std::string kind = ReadText(row["kind"]);
  event.kind = kind == "manual"       ? EventKind::kManual
               : kind == "reconciled" ? EventKind::kReconciled
                                      : EventKind::kWebhook;
  const std::string state = ReadText(row["state"]);
  event.state = state == "received"    ? EventState::kReceived
                : state == "evaluated" ? EventState::kEvaluated
                                       : EventState::kIgnored;
  event.connection_id = ReadText(row["connection_id"]);
  event.source_id = ReadText(row["source_id"]);
  event.delivery_id = ReadText(row["delivery_id"]);
  rules::v1::IngestEventRequest payload;
  if (!payload.ParseFromString(postgres::ReadBytes(row["payload"]))) {
    return absl::DataLossError(absl::StrCat("Failed to read the payload of event ", event.id));
  }
  event.headers.insert(payload.headers().begin(), payload.headers().end());
  event.push = std::move(*payload.mutable_push());
  event.detail = ReadText(row["detail"]);
  event.receive_time = ReadTime(row["receive_time"]);
  if (!row["changes"].is_null()) event.changes = ReadChanges(ReadText(row["changes"]));
  if (!row["evaluate_time"].is_null()) event.evaluate_time = ReadTime(row["evaluate_time"]);
  return event;
}

absl::StatusOr<Explanation> ReadExplanation(const pqxx::row& row) {
  Explanation explanation;
  explanation.rule_id = ReadText(row["rule_id"]);
  explanation.rule_display_name = ReadText(row["rule_display_name"]);
  explanation.reason = static_cast<Reason>(row["reason"].as<int>());
  explanation.detail = ReadText(row["detail"]);
  explanation.build_id = ReadText(row["build_id"]);
  const nlohmann::json tags = nlohmann::json::parse(ReadText(row["tags"]), nullptr, /*allow_exceptions=*/false);
  if (!tags.is_array())
    return absl::DataLossError(absl::StrCat("Failed to read the tags of rule ", explanation.rule_id));
  explanation.tags = TextsOf(tags);
  return explanation;
}

std::string TextsToJson(const std::vector<std::string>& texts) { return nlohmann::json(texts).dump(); }

const char* KindWord(EventKind kind) {
  switch (kind) {
    case EventKind::kWebhook:
      return "webhook";
    case EventKind::kManual:
      return "manual";
    case EventKind::kReconciled:
      return "reconciled";
  }
  return "webhook";
}

const char* StateWord(EventState state) {
  switch (state) {
    case EventState::kReceived:
      return "received";
    case EventState::kEvaluated:
      return "evaluated";
    case EventState::kIgnored:
      return "ignored";
  }
  return "received";
}

}  // namespace davit::rule_engine
