// Implements conversion.h.
#include "services/scheduler/conversion.h"

#include "google/protobuf/util/time_util.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::scheduler {
namespace {

using ::google::protobuf::util::TimeUtil;

// What people are told is bounded, whatever an agent sends.
constexpr size_t kMaxMessageBytes = 4096;

v1::Failure Convert(const Failure& failure) {
  v1::Failure message;
  message.set_failure_class(static_cast<v1::FailureClass>(failure.failure_class));
  message.set_message(failure.message);
  return message;
}

v1::BuildAttempt Convert(const AttemptRecord& record) {
  v1::BuildAttempt attempt;
  attempt.set_number(record.number);
  attempt.set_agent_id(record.agent_id);
  attempt.set_agent_name(record.agent_name);
  attempt.set_fence(record.fence);
  *attempt.mutable_start_time() = ToProto(record.start_time);
  if (record.end_time.has_value()) *attempt.mutable_end_time() = ToProto(*record.end_time);
  attempt.set_outcome(static_cast<v1::BuildAttempt::Outcome>(record.outcome));
  const bool failed = record.outcome == AttemptOutcome::kFailed || record.outcome == AttemptOutcome::kLost ||
                      record.outcome == AttemptOutcome::kTimedOut;
  if (failed) *attempt.mutable_failure() = Convert(record.failure);
  attempt.set_log_size(record.log_size);
  attempt.set_log_complete(record.log_expected.has_value() && record.log_size >= *record.log_expected);
  return attempt;
}

v1::BuildTransition Convert(const TransitionRecord& record) {
  v1::BuildTransition transition;
  transition.set_state(static_cast<v1::BuildState>(record.state));
  transition.set_phase(static_cast<v1::BuildPhase>(record.phase));
  *transition.mutable_time() = ToProto(record.time);
  transition.set_detail(record.detail);
  return transition;
}

}  // namespace

std::string StorableText(absl::string_view text, size_t max_bytes) {
  std::string storable;
  for (const char c : text.substr(0, max_bytes)) {
    if (c != '\0') storable.push_back(c);
  }
  if (text.size() <= max_bytes) return storable;
  // The cut must not leave a part of a character.
  while (!storable.empty() && (static_cast<unsigned char>(storable.back()) & 0xC0) == 0x80) storable.pop_back();
  if (!storable.empty() && (static_cast<unsigned char>(storable.back()) & 0x80) != 0) storable.pop_back();
  return storable;
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  return TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  return TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(duration));
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

v1::Build ToProto(const BuildRecord& record) {
  v1::Build build;
  build.set_id(record.id);
  build.set_project(record.project);
  build.set_sequence(record.sequence);
  // Written by NormalizeSpec's caller: it parses.
  build.mutable_spec()->ParseFromString(record.spec);
  if (!record.policy.empty()) build.mutable_policy()->ParseFromString(record.policy);
  build.set_superseded_by(record.superseded_by);
  build.mutable_origin()->set_rule_id(record.rule_id);
  build.mutable_origin()->set_event_id(record.event_id);
  build.mutable_origin()->set_requested_by(record.requested_by);
  build.mutable_origin()->set_retry_of(record.retry_of);
  build.set_state(static_cast<v1::BuildState>(record.state));
  build.set_phase(static_cast<v1::BuildPhase>(record.phase));
  if (record.failure.failure_class != FailureClass::kNone) *build.mutable_failure() = Convert(record.failure);
  build.set_image_digest(record.digest);
  for (const TagRecord& tag : record.tag_results) {
    v1::TagResult& result = *build.add_tag_results();
    result.set_tag(tag.tag);
    result.set_set(tag.outcome == TagOutcome::kSet);
  }
  build.set_cancel_requested(record.cancel_requested && !IsTerminal(record.state));
  for (const AttemptRecord& attempt : record.attempts) *build.add_attempts() = Convert(attempt);
  for (const TransitionRecord& transition : record.transitions) *build.add_transitions() = Convert(transition);
  *build.mutable_create_time() = ToProto(record.create_time);
  if (record.start_time.has_value()) *build.mutable_start_time() = ToProto(*record.start_time);
  if (record.end_time.has_value()) *build.mutable_end_time() = ToProto(*record.end_time);
  build.set_version(record.revision);
  return build;
}

v1::Agent ToProto(const AgentRecord& record) {
  v1::Agent agent;
  agent.set_id(record.id);
  agent.set_name(record.name);
  agent.set_state(!record.present   ? v1::Agent::STATE_OFFLINE
                  : record.draining ? v1::Agent::STATE_DRAINING
                                    : v1::Agent::STATE_READY);
  agent.mutable_labels()->insert(record.labels.begin(), record.labels.end());
  agent.set_slots(record.slots);
  agent.mutable_build_ids()->Assign(record.build_ids.begin(), record.build_ids.end());
  agent.set_version(record.version);
  *agent.mutable_last_seen_time() = ToProto(record.last_seen_time);
  return agent;
}

v1::Upload ToProto(const UploadRecord& record) {
  v1::Upload upload;
  upload.set_id(record.id);
  upload.set_project(record.project);
  upload.set_format(static_cast<v1::UploadFormat>(record.format));
  upload.set_file_name(record.file_name);
  upload.set_size(record.size);
  upload.set_digest(record.digest);
  *upload.mutable_create_time() = ToProto(record.create_time);
  return upload;
}

v1::ExplainQueueResponse ToProto(const QueueExplanation& explanation) {
  v1::ExplainQueueResponse response;
  response.set_reason(static_cast<v1::ExplainQueueResponse::Reason>(explanation.reason));
  response.set_detail(explanation.detail);
  response.set_position(explanation.position);
  if (explanation.not_before.has_value()) *response.mutable_not_before() = ToProto(*explanation.not_before);
  return response;
}

absl::StatusOr<AttemptReport> FromProto(const v1::LeaseReport& report) {
  AttemptReport ended;
  ended.build_id = report.build_id();
  ended.fence = report.fence();
  if (!report.has_result()) {
    ended.end = AttemptEnd::kReturned;
    ended.message = "the agent gave the build back";
    return ended;
  }
  const v1::BuildResult& result = report.result();
  if (result.log_size() < 0) return absl::InvalidArgumentError("result.log_size: must not be negative");
  ended.log_expected = result.log_size();
  ended.message = StorableText(result.failure().message(), kMaxMessageBytes);
  if (ended.message.empty() && result.has_failure()) ended.message = "the agent gave no reason";
  switch (result.outcome()) {
    case v1::BuildAttempt::OUTCOME_SUCCEEDED:
      DAVIT_RETURN_IF_ERROR(Annotate(oci::CheckDigest(result.image_digest()), "result.image_digest"));
      ended.end = AttemptEnd::kSucceeded;
      ended.digest = result.image_digest();
      return ended;
    case v1::BuildAttempt::OUTCOME_FAILED:
      ended.end = result.failure().failure_class() == v1::FAILURE_CLASS_USER ? AttemptEnd::kFailedUser
                                                                             : AttemptEnd::kFailedInfrastructure;
      return ended;
    case v1::BuildAttempt::OUTCOME_CANCELLED:
      ended.end = AttemptEnd::kCancelled;
      return ended;
    case v1::BuildAttempt::OUTCOME_TIMED_OUT:
      ended.end = AttemptEnd::kTimedOut;
      return ended;
    default:
      return absl::InvalidArgumentError("result.outcome: succeeded, failed, cancelled or timed out is needed");
  }
}

}  // namespace davit::scheduler
