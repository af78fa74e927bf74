// Orders of builds: what the scheduler is asked to build for a rule. Owns nothing; usable from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/rule_engine/event.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// What is to be built.
struct BuildSubject {
  // Nothing for a bare commit.
  std::optional<GitRef> ref;
  std::string commit;
  std::vector<std::string> tags;
  // The build number that the tags name; 0 = none.
  int64_t number = 0;
  // Who asked, for people.
  std::string requested_by;
};

// The order of a push: its request id follows from (rule, ref, commit), so that however often it is sent there is one
// build.
BuildOrder OrderForPush(const Rule& rule, const Event& event, const BuildSubject& subject);

// The order of a manual event: its request id follows from the event, and it supersedes nothing.
BuildOrder OrderForManual(const Rule& rule, const Event& event, const BuildSubject& subject);

// The same order for a build that supersedes no other: its commit may be older than what waits or runs.
BuildOrder WithoutSuperseding(const BuildOrder& order);

// The same order under another request id: another build.
BuildOrder WithRequestId(const BuildOrder& order, const std::string& request_id);

}  // namespace davit::rule_engine
