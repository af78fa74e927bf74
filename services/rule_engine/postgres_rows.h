// How the tables' rows become domain values; shared by the PostgreSQL stores. Owns nothing; any thread.
#pragma once

#include <pqxx/pqxx>

#include "absl/status/statusor.h"
#include "services/rule_engine/event.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// Reads a row of rules; DATA_LOSS when its spec is not readable.
absl::StatusOr<Rule> ReadRule(const pqxx::row& row);

// Reads rows of rules; errors as ReadRule.
absl::StatusOr<std::vector<Rule>> ReadRules(const pqxx::result& rows);

// Reads a row of events, without explanations; DATA_LOSS when its payload is not readable.
absl::StatusOr<Event> ReadEvent(const pqxx::row& row);

// Reads a row of event_explanations; DATA_LOSS when its tags are not readable.
absl::StatusOr<Explanation> ReadExplanation(const pqxx::row& row);

// The JSON array for event_explanations.tags.
std::string TextsToJson(const std::vector<std::string>& texts);

// The words of the columns events.kind and events.state.
const char* KindWord(EventKind kind);
const char* StateWord(EventState state);

}  // namespace davit::rule_engine
