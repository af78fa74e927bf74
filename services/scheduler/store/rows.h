// Turns rows of the scheduler's queries into records. Private to the PostgreSQL stores; usable from any thread.
#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/postgres/scope.h"
#include "libs/postgres/transaction.h"
#include "services/scheduler/store/records.h"

namespace davit::scheduler {

// The rows that a store may see when it works for `project` (kEveryProject = all).
postgres::Scope ScopeOf(const std::string& project);

// A timestamptz that may be null.
std::optional<absl::Time> ReadOptionalTime(const pqxx::field& field);

// A JSON array of texts.
std::vector<std::string> ReadTexts(const pqxx::field& field);

// A row of select_build, select_build_by_request or list_builds.
BuildRecord ReadBuild(const pqxx::row& row);

// A row of select_build_attempts.
AttemptRecord ReadAttempt(const pqxx::row& row);

// A row of select_build_events.
TransitionRecord ReadTransition(const pqxx::row& row);

// A row of list_agents or select_agent.
AgentRecord ReadAgent(const pqxx::row& row);

// A row of the uploads' columns.
UploadRecord ReadUpload(const pqxx::row& row);

}  // namespace davit::scheduler
