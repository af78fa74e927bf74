// The agent's loop. The contract is proto/davit/scheduler/v1/agent_service.proto, AgentService.Synchronize.
#include "services/builder_agent/agent.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "libs/ids/ids.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

// How long an idle agent's call may be parked by the scheduler, and how much longer it waits for the answer.
constexpr absl::Duration kPark = absl::Seconds(30);
constexpr absl::Duration kParkSlack = absl::Seconds(10);
// How long it waits for an answer that is not parked.
constexpr absl::Duration kCallTimeout = absl::Seconds(10);
// Never exchange more often than this, whatever the scheduler says.
constexpr absl::Duration kShortestPause = absl::Milliseconds(20);
constexpr absl::Duration kShortestCall = absl::Milliseconds(100);
// How long before a drain's deadline unfinished builds are given back: to stop them, send their logs and be heard.
constexpr absl::Duration kReturnBefore = absl::Seconds(5);
constexpr absl::Duration kDrainLook = absl::Milliseconds(50);

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

const char* OutcomeName(proto::BuildAttempt::Outcome outcome) {
  switch (outcome) {
    case proto::BuildAttempt::OUTCOME_SUCCEEDED:
      return "succeeded";
    case proto::BuildAttempt::OUTCOME_FAILED:
      return "failed";
    case proto::BuildAttempt::OUTCOME_CANCELLED:
      return "cancelled";
    case proto::BuildAttempt::OUTCOME_TIMED_OUT:
      return "timed_out";
    default:
      return "unknown";
  }
}

}  // namespace

Agent::Agent(AgentOptions options, SchedulerClient& scheduler, JobLauncher& launcher, Clock& clock,
             RandomSource& random, Logger logger, metrics::Registry& metrics)
    : options_(std::move(options)),
      session_id_(NewId("ses", clock, random)),
      scheduler_(scheduler),
      launcher_(launcher),
      clock_(clock),
      logger_(std::move(logger)),
      metrics_(metrics),
      busy_slots_(metrics.GetGauge("davit_builder_agent_busy_slots", "Builds that this agent runs now.")),
      backoff_(absl::Milliseconds(200), absl::Seconds(5), 2, 0.5, random) {}

Agent::~Agent() {
  std::map<LeaseKey, Running> jobs;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    unpark_.request_stop();
  }
  if (loop_.joinable()) loop_.join();
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [key, running] : jobs_) running.job->Stop(StopReason::kForgotten);
    jobs.swap(jobs_);
  }
}

void Agent::Start() {
  loop_ = std::thread([this] { Loop(); });
}

void Agent::Loop() {
  while (true) {
    const absl::Duration pause = SyncOnce();
    absl::MutexLock lock(&mutex_);
    const absl::Duration until_expiry = table_.NextExpiry() - clock_.Monotonic();
    const auto due = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return changed_ || stopping_; };
    mutex_.AwaitWithTimeout(absl::Condition(&due), std::max(kShortestPause, std::min(pause, until_expiry)));
    if (stopping_) return;
  }
}

absl::Duration Agent::SyncOnce() {
  proto::SynchronizeRequest request;
  std::vector<std::unique_ptr<Job>> over;
  std::stop_token unparked;
  absl::Duration timeout;
  {
    absl::MutexLock lock(&mutex_);
    if (superseded_) return absl::InfiniteDuration();
    over = TakeOver();
    Carry(table_.Expire(clock_.Monotonic()));
    request = MakeRequest();
    changed_ = false;
    const bool parks = request.has_max_wait();
    // A call must not keep the agent from fencing itself in time.
    timeout =
        parks ? kPark + kParkSlack : std::clamp(table_.NextExpiry() - clock_.Monotonic(), kShortestCall, kCallTimeout);
    unparked = unpark_.get_token();
  }
  over.clear();
  const absl::Duration sent_at = clock_.Monotonic();
  const absl::StatusOr<proto::SynchronizeResponse> response = scheduler_.Synchronize(request, timeout, unparked);
  absl::MutexLock lock(&mutex_);
  return response.ok() ? TakeResponse(*response, sent_at) : TakeError(response.status());
}

proto::SynchronizeRequest Agent::MakeRequest() {
  proto::SynchronizeRequest request;
  request.set_agent_name(options_.name);
  request.set_session_id(session_id_);
  request.set_starts_session(starts_session_);
  request.mutable_labels()->insert(options_.labels.begin(), options_.labels.end());
  request.set_slots(options_.slots);
  request.set_version(options_.version);
  request.set_draining(drained_ != Drained::kNo);
  const int busy = Busy();
  busy_slots_.Set(busy);
  request.set_free_slots(drained_ == Drained::kNo ? std::max(0, options_.slots - busy) : 0);
  for (proto::LeaseReport& report : table_.Reports()) *request.add_reports() = std::move(report);
  const bool idle = table_.empty() && busy == 0 && drained_ == Drained::kNo && !starts_session_;
  if (idle) request.mutable_max_wait()->set_seconds(absl::ToInt64Seconds(kPark));
  return request;
}

absl::Duration Agent::TakeResponse(const proto::SynchronizeResponse& response, absl::Duration sent_at) {
  if (starts_session_) {
    logger_.Info("session began",
                 {{"session", session_id_}, {"agent", response.agent_id()}, {"slots", options_.slots}});
  }
  starts_session_ = false;
  backoff_.Reset();
  Carry(table_.Apply(response, sent_at));
  return FromProto(response.next_sync_in());
}

absl::Duration Agent::TakeError(const absl::Status& error) {
  if (absl::IsFailedPrecondition(error) && absl::StrContains(error.message(), "session superseded")) {
    logger_.Error("a newer session of this agent's name has begun; stopping everything",
                  {{"agent", options_.name}, {"session", session_id_}});
    superseded_ = true;
    Carry(table_.Clear());
    return absl::InfiniteDuration();
  }
  Carry(table_.Expire(clock_.Monotonic()));
  if (absl::IsCancelled(error) && unpark_.stop_requested()) {
    unpark_ = std::stop_source();
    return absl::ZeroDuration();
  }
  const absl::Duration pause = backoff_.Next();
  logger_.Warning("the scheduler does not answer", {{"error", error}, {"again_in", pause}});
  return pause;
}

void Agent::Carry(const LeaseChanges& changes) {
  for (const LeaseKey& key : changes.forget) {
    const auto it = jobs_.find(key);
    if (it == jobs_.end()) continue;
    if (!it->second.ended)
      logger_.Warning("lease is gone; stopping its build", {{"build", key.build_id}, {"fence", key.fence}});
    it->second.job->Stop(StopReason::kForgotten);
  }
  for (const LeaseKey& key : changes.cancel) {
    logger_.Info("cancelling build", {{"build", key.build_id}, {"fence", key.fence}});
    const auto it = jobs_.find(key);
    if (it != jobs_.end()) it->second.job->Stop(StopReason::kCancelled);
  }
  for (const proto::Lease& lease : changes.start) {
    const LeaseKey key{lease.build_id(), lease.fence()};
    // A job of the same lease that is still being stopped is not joined by a second one.
    if (drained_ != Drained::kNo || stopping_ || jobs_.count(key) > 0) {
      table_.SetReturned(key);
      changed_ = true;
      continue;
    }
    logger_.Info("starting build", {{"build", key.build_id}, {"fence", key.fence}, {"attempt", lease.attempt()}});
    jobs_[key].job = launcher_.Launch(lease, *this);
  }
}

std::vector<std::unique_ptr<Job>> Agent::TakeOver() {
  std::vector<std::unique_ptr<Job>> over;
  for (auto it = jobs_.begin(); it != jobs_.end();) {
    if (!it->second.over) {
      ++it;
      continue;
    }
    over.push_back(std::move(it->second.job));
    it = jobs_.erase(it);
  }
  return over;
}

int Agent::Busy() const {
  return static_cast<int>(std::count_if(jobs_.begin(), jobs_.end(),
                                        [](const auto& item) { return !item.second.ended && !item.second.over; }));
}

void Agent::Drain(absl::Time deadline) {
  const absl::Duration end = clock_.Monotonic() + (deadline - clock_.Now());
  {
    absl::MutexLock lock(&mutex_);
    drained_ = Drained::kFinishing;
    changed_ = true;
    unpark_.request_stop();
  }
  while (clock_.Monotonic() < end) {
    {
      absl::MutexLock lock(&mutex_);
      if (superseded_ || (table_.empty() && Busy() == 0)) break;
      if (drained_ == Drained::kFinishing && clock_.Monotonic() >= end - kReturnBefore) {
        drained_ = Drained::kReturning;
        for (auto& [key, running] : jobs_) running.job->Stop(StopReason::kReturned);
      }
    }
    clock_.SleepFor(kDrainLook);
  }
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  unpark_.request_stop();
}

bool Agent::superseded() const {
  absl::MutexLock lock(&mutex_);
  return superseded_;
}

void Agent::OnPhase(const LeaseKey& lease, proto::BuildPhase phase) {
  absl::MutexLock lock(&mutex_);
  table_.SetPhase(lease, phase);
  changed_ = true;
}

void Agent::OnResult(const LeaseKey& lease, proto::BuildResult result) {
  const char* const outcome = OutcomeName(result.outcome());
  logger_.Info(
      "build ended",
      {{"build", lease.build_id}, {"fence", lease.fence}, {"outcome", outcome}, {"log_bytes", result.log_size()}});
  metrics_.GetCounter("davit_builder_agent_builds_total", "Builds that ended on this agent.", {{"outcome", outcome}})
      .Increment();
  absl::MutexLock lock(&mutex_);
  table_.SetResult(lease, std::move(result));
  const auto it = jobs_.find(lease);
  if (it != jobs_.end()) it->second.ended = true;
  changed_ = true;
}

void Agent::OnReturned(const LeaseKey& lease) {
  logger_.Info("build given back", {{"build", lease.build_id}, {"fence", lease.fence}});
  absl::MutexLock lock(&mutex_);
  table_.SetReturned(lease);
  const auto it = jobs_.find(lease);
  if (it != jobs_.end()) it->second.ended = true;
  changed_ = true;
}

void Agent::OnOver(const LeaseKey& lease) {
  absl::MutexLock lock(&mutex_);
  const auto it = jobs_.find(lease);
  if (it != jobs_.end()) it->second.over = true;
  changed_ = true;
}

}  // namespace davit::builder_agent
