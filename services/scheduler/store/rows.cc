// Implements rows.h.
#include "services/scheduler/store/rows.h"

#include <nlohmann/json.hpp>

namespace davit::scheduler {
namespace {

using ::davit::postgres::ReadBytes;
using ::davit::postgres::ReadText;
using ::davit::postgres::ReadTime;

nlohmann::json ReadJson(const pqxx::field& field) {
  return nlohmann::json::parse(ReadText(field), nullptr, /*allow_exceptions=*/false);
}

std::map<std::string, std::string> ReadLabels(const pqxx::field& field) {
  std::map<std::string, std::string> labels;
  const nlohmann::json object = ReadJson(field);
  if (!object.is_object()) return labels;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) labels[name] = value.get<std::string>();
  }
  return labels;
}

}  // namespace

postgres::Scope ScopeOf(const std::string& project) {
  return project == kEveryProject ? postgres::Scope::AllProjects() : postgres::Scope::Project(project);
}

std::optional<absl::Time> ReadOptionalTime(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return ReadTime(field);
}

std::vector<std::string> ReadTexts(const pqxx::field& field) {
  std::vector<std::string> texts;
  const nlohmann::json array = ReadJson(field);
  if (!array.is_array()) return texts;
  for (const nlohmann::json& element : array) {
    if (element.is_string()) texts.push_back(element.get<std::string>());
  }
  return texts;
}

BuildRecord ReadBuild(const pqxx::row& row) {
  BuildRecord build;
  build.id = ReadText(row["id"]);
  build.project = ReadText(row["project"]);
  build.sequence = row["sequence"].as<int64_t>();
  build.request_id = ReadText(row["request_id"]);
  build.request_digest = ReadBytes(row["request_digest"]);
  build.spec = ReadBytes(row["spec"]);
  build.policy = ReadBytes(row["policy"]);
  build.rule_id = ReadText(row["rule_id"]);
  build.event_id = ReadText(row["event_id"]);
  build.requested_by = ReadText(row["requested_by"]);
  build.retry_of = ReadText(row["retry_of"]);
  build.superseded_by = ReadText(row["superseded_by"]);
  build.tags = ReadTexts(row["tags"]);
  build.state = static_cast<BuildState>(row["state"].as<int>());
  build.phase = static_cast<BuildPhase>(row["phase"].as<int>());
  build.revision = row["revision"].as<int64_t>();
  build.attempt = row["attempt"].as<int>();
  build.not_before = ReadOptionalTime(row["not_before"]);
  build.cancel_requested = !row["cancel_requested_at"].is_null();
  build.digest = ReadText(row["digest"]);
  build.failure = {static_cast<FailureClass>(row["failure_class"].as<int>()), ReadText(row["failure_message"])};
  build.create_time = ReadTime(row["created_at"]);
  build.start_time = ReadOptionalTime(row["started_at"]);
  build.end_time = ReadOptionalTime(row["finished_at"]);
  const nlohmann::json outcomes = ReadJson(row["tag_outcomes"]);
  for (const std::string& tag : build.tags) {
    if (!outcomes.is_object() || !outcomes.contains(tag)) continue;
    build.tag_results.push_back({tag, static_cast<TagOutcome>(outcomes[tag].get<int>())});
  }
  return build;
}

AttemptRecord ReadAttempt(const pqxx::row& row) {
  AttemptRecord attempt;
  attempt.number = row["attempt"].as<int>();
  attempt.agent_id = ReadText(row["agent_id"]);
  attempt.agent_name = ReadText(row["agent_name"]);
  attempt.fence = row["fence"].as<int64_t>();
  attempt.start_time = ReadTime(row["started_at"]);
  attempt.end_time = ReadOptionalTime(row["ended_at"]);
  attempt.outcome = static_cast<AttemptOutcome>(row["outcome"].as<int>());
  attempt.failure = {static_cast<FailureClass>(row["failure_class"].as<int>()), ReadText(row["message"])};
  attempt.log_size = row["log_size"].as<int64_t>();
  if (!row["log_expected"].is_null()) attempt.log_expected = row["log_expected"].as<int64_t>();
  return attempt;
}

TransitionRecord ReadTransition(const pqxx::row& row) {
  return {static_cast<BuildState>(row["state"].as<int>()), static_cast<BuildPhase>(row["phase"].as<int>()),
          ReadTime(row["created_at"]), ReadText(row["message"])};
}

AgentRecord ReadAgent(const pqxx::row& row) {
  AgentRecord agent;
  agent.id = ReadText(row["id"]);
  agent.name = ReadText(row["name"]);
  agent.labels = ReadLabels(row["labels"]);
  agent.version = ReadText(row["version"]);
  agent.slots = row["slots"].as<int>();
  agent.draining = row["draining"].as<bool>();
  agent.present = row["present"].as<bool>();
  agent.last_seen_time = ReadTime(row["last_seen_at"]);
  agent.build_ids = ReadTexts(row["builds"]);
  return agent;
}

UploadRecord ReadUpload(const pqxx::row& row) {
  UploadRecord upload;
  upload.id = ReadText(row["id"]);
  upload.project = ReadText(row["project"]);
  upload.format = row["format"].as<int>();
  upload.file_name = ReadText(row["file_name"]);
  upload.size = row["size"].as<int64_t>();
  upload.digest = ReadText(row["digest"]);
  upload.create_time = ReadTime(row["created_at"]);
  return upload;
}

}  // namespace davit::scheduler
