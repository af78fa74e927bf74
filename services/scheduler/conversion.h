// Translates records into the messages of davit.scheduler.v1 and back. Pure; usable from any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/scheduler/v1/agent.pb.h"
#include "davit/scheduler/v1/agent_service.pb.h"
#include "davit/scheduler/v1/build.pb.h"
#include "davit/scheduler/v1/scheduler.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "services/scheduler/domain/queue_explanation.h"
#include "services/scheduler/store/records.h"

namespace davit::scheduler {

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
absl::Duration FromProto(const google::protobuf::Duration& duration);

v1::Build ToProto(const BuildRecord& record);
v1::Agent ToProto(const AgentRecord& record);
v1::Upload ToProto(const UploadRecord& record);
v1::ExplainQueueResponse ToProto(const QueueExplanation& explanation);

// Valid UTF-8 as PostgreSQL can store it: without NUL characters, cut between characters to at most `max_bytes`.
std::string StorableText(absl::string_view text, size_t max_bytes);

// What an agent says of an attempt that ended on it. INVALID_ARGUMENT begins with the field below `reports[]`.
absl::StatusOr<AttemptReport> FromProto(const v1::LeaseReport& report);

}  // namespace davit::scheduler
