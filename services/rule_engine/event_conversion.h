// Events between their domain form and their protobuf messages. Owns nothing; any thread.
#pragma once

#include "absl/status/statusor.h"
#include "davit/rules/v1/event.pb.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "services/rule_engine/event.h"

namespace davit::rule_engine {

// The message that clients see.
rules::v1::Event ToProto(const Event& event);

// The same for what one rule made of it.
rules::v1::RuleExplanation ToProto(const Explanation& explanation);

// The event that a gateway hands in, checked, as kReceived or, for a deleted ref, kIgnored. INVALID_ARGUMENT names the
// field
// ("push.ref: invalid ref: …"). Lists and texts over their limits are cut rather than refused: a push must not be lost
// for them.
absl::StatusOr<Event> EventFromRequest(const std::string& project, const rules::v1::IngestEventRequest& request);

}  // namespace davit::rule_engine
