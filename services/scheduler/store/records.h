// What the stores take and give: builds, attempts, leases, agents, uploads, publications. Values only; usable from any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/scheduler/domain/build_state.h"
#include "services/scheduler/domain/lease_rules.h"
#include "services/scheduler/domain/retry_policy.h"
#include "services/scheduler/domain/tag_order.h"

namespace davit::scheduler {

// The project that stands for all of them, for the scheduler's own work.
inline constexpr char kEveryProject[] = "*";

// The pool that every build and agent is in.
inline constexpr char kDefaultPool[] = "default";

// Whose fault a failure is, and what people are told.
struct Failure {
  FailureClass failure_class = FailureClass::kNone;
  std::string message;
};

// What a build does to older ones of its group.
enum class Supersede {
  kNothing,
  kQueued,   // Those that wait end.
  kRunning,  // Those that wait end, and those that run are stopped.
};

// A build to be made. `spec` and `policy` are opaque; what lists, limits and publishing need is beside it.
struct NewBuild {
  std::string id;
  std::string project;
  std::string request_id;      // Empty = none.
  std::string request_digest;  // Tells a repeated request from another one with the same id.
  std::string pool = kDefaultPool;
  int priority = 0;  // Smaller goes first.
  std::string spec;
  std::string image_repository;
  std::string registry_credential_id;
  std::string connection_id;
  std::string repository;
  std::string ref;
  std::string commit;
  std::string upload_id;
  std::vector<std::string> tags;
  std::string rule_id;
  std::string event_id;
  std::string requested_by;
  std::string retry_of;
  absl::Duration timeout = absl::Hours(1);
  std::string policy;
  // How often it is tried again after an infrastructure failure; not set = as the scheduler does.
  std::optional<int> infrastructure_retries;
  Supersede supersede = Supersede::kNothing;
  std::string concurrency_key;  // 32 bytes, the same for all builds of a group; empty = in none.
  int max_concurrent = 0;       // Builds of the rule that may run at a time; 0 = no limit of its own.
};

// One try of a build by one agent.
struct AttemptRecord {
  int number = 0;
  std::string agent_id;
  std::string agent_name;
  int64_t fence = 0;
  absl::Time start_time;
  std::optional<absl::Time> end_time;
  AttemptOutcome outcome = AttemptOutcome::kRunning;
  Failure failure;
  int64_t log_size = 0;
  std::optional<int64_t> log_expected;  // Bytes that the agent wrote in all, once it has said so.
};

// A moment of a build's life.
struct TransitionRecord {
  BuildState state = BuildState::kQueued;
  BuildPhase phase = BuildPhase::kNone;
  absl::Time time;
  std::string detail;
};

// What became of one tag.
struct TagRecord {
  std::string tag;
  TagOutcome outcome = TagOutcome::kPending;
};

// A build as stored.
struct BuildRecord {
  std::string id;
  std::string project;
  int64_t sequence = 0;
  std::string request_id;
  std::string request_digest;
  std::string spec;
  std::string policy;
  std::string rule_id;
  std::string event_id;
  std::string requested_by;
  std::string retry_of;
  std::string superseded_by;  // The newer build that ended it or is about to; empty = none.
  std::vector<std::string> tags;
  BuildState state = BuildState::kQueued;
  BuildPhase phase = BuildPhase::kNone;
  int64_t revision = 0;
  int attempt = 0;
  std::optional<absl::Time> not_before;
  bool cancel_requested = false;
  std::string digest;
  Failure failure;
  absl::Time create_time;
  std::optional<absl::Time> start_time;
  std::optional<absl::Time> end_time;
  std::vector<TagRecord> tag_results;
  std::vector<AttemptRecord> attempts;        // Only where asked for.
  std::vector<TransitionRecord> transitions;  // Only where asked for.
};

// How far a build and the log of its newest attempt are.
struct BuildVersion {
  std::string id;
  int64_t revision = 0;
  BuildState state = BuildState::kQueued;
  int attempt = 0;
  int64_t log_size = 0;
  bool attempt_ended = false;

  bool operator==(const BuildVersion&) const = default;
};

// A build given to a free slot of an agent.
struct ClaimedLease {
  std::string build_id;
  std::string agent_id;
  std::string session_id;
  int64_t fence = 0;
};

// What the holder of a lease is to do. The numbers are stored.
enum class Desired : int16_t { kRun = 1, kCancel = 2 };

// A lease with the build that it is for.
struct HeldLease {
  std::string build_id;
  std::string project;
  int attempt = 0;
  int64_t fence = 0;
  Desired desired = Desired::kRun;
  bool granted = false;
  std::string spec;
  std::string requested_by;
  std::string upload_id;
  // How long the attempt may go on before the scheduler ends it.
  absl::Duration remaining;
};

// How an attempt ended, as the one who ends it knows.
struct AttemptReport {
  std::string build_id;
  int64_t fence = 0;
  AttemptEnd end = AttemptEnd::kLost;
  std::string message;                  // For people; the reason of a failure.
  std::string digest;                   // With kSucceeded.
  std::optional<int64_t> log_expected;  // Bytes of log that the agent wrote.
};

// A build whose attempt was ended.
struct EndedAttempt {
  std::string build_id;
  std::string project;
  BuildState state = BuildState::kQueued;
};

// What an agent says of a lease that goes on.
struct HeldReport {
  std::string build_id;
  int64_t fence = 0;
  BuildPhase phase = BuildPhase::kNone;
};

// One call of an agent.
struct SessionReport {
  std::string new_agent_id;  // The id that the agent gets if its name is new.
  std::string agent_name;
  std::string pool = kDefaultPool;
  std::string project = kEveryProject;  // Whose builds it may serve.
  std::string session_id;
  SessionStart start = SessionStart::kContinues;
  std::map<std::string, std::string> labels;
  std::string version;
  int slots = 0;
  int free_slots = 0;
  bool draining = false;
  std::vector<HeldReport> held;
  std::vector<AttemptReport> ended;
};

// What a call of an agent led to.
struct SessionOutcome {
  std::string agent_id;
  bool drained = false;              // An operator wants it to get nothing new.
  std::string replaced_session;      // Empty unless this call replaced an older session.
  std::vector<std::string> changed;  // Builds that changed.
  std::vector<EndedAttempt> ended;   // Attempts that ended, those of a replaced session too.
  int64_t renewed = 0;               // Leases that were reported and go on.
  int64_t leases = 0;                // Leases that the session has, those that it has not been told of included.
};

// An agent as stored.
struct AgentRecord {
  std::string id;
  std::string name;
  std::map<std::string, std::string> labels;
  std::string version;
  int slots = 0;
  bool draining = false;
  bool present = false;  // It called within the interval that was asked about.
  absl::Time last_seen_time;
  std::vector<std::string> build_ids;
};

// A complete upload.
struct UploadRecord {
  std::string id;
  std::string project;
  int format = 0;  // davit.scheduler.v1.UploadFormat
  std::string file_name;
  int64_t size = 0;
  std::string digest;
  absl::Time create_time;
};

// The tags of one build, to be set.
struct Publication {
  std::string build_id;
  std::string project;
  int64_t sequence = 0;
  std::string image_repository;
  std::string registry_credential_id;
  std::string digest;
  int attempts = 0;  // This one included.
  absl::Duration age;
  std::vector<TagRecord> tags;
};

// A grant of build credentials that must end.
struct Revocation {
  int64_t id = 0;
  std::string project;
  std::string build_id;
  int64_t fence = 0;
  int attempts = 0;
};

}  // namespace davit::scheduler
