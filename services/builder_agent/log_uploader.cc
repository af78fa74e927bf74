// Sends a build's log from its spool to the scheduler.
#include "services/builder_agent/log_uploader.h"

#include <algorithm>
#include <string>
#include <utility>

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

constexpr size_t kMaxAppendBytes = 256 << 10;
constexpr absl::Duration kFirstBackoff = absl::Milliseconds(100);
constexpr absl::Duration kLastBackoff = absl::Seconds(3);
constexpr absl::Duration kWaitStep = absl::Milliseconds(100);
constexpr absl::Duration kLookInterval = absl::Milliseconds(200);

// After these the scheduler will never take more of this log.
bool IsFinal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsNotFound(status) || absl::IsResourceExhausted(status) ||
         absl::IsPermissionDenied(status) || absl::IsInvalidArgument(status);
}

}  // namespace

LogUploader::LogUploader(SchedulerClient& scheduler, LeaseKey lease, const LogSpool& spool, Clock& clock, Logger logger)
    : scheduler_(scheduler), lease_(std::move(lease)), spool_(spool), clock_(clock), logger_(std::move(logger)) {}

void LogUploader::Run() {
  while (!abandoned_) {
    if (!spool_.AwaitMore(stored_, kLookInterval)) continue;
    if (AppendOnce() == Next::kEnd) return;
  }
}

LogUploader::Next LogUploader::AppendOnce() {
  const bool closed = spool_.closed();
  absl::StatusOr<std::string> data = spool_.Read(stored_, kMaxAppendBytes);
  if (!data.ok()) {
    logger_.Error("cannot read a build's log", {{"build", lease_.build_id}, {"error", data.status()}});
    return Next::kEnd;
  }
  if (data->empty()) return closed ? Next::kEnd : Next::kContinue;
  proto::AppendLogRequest request;
  request.set_build_id(lease_.build_id);
  request.set_fence(lease_.fence);
  request.set_offset(stored_);
  request.set_data(*std::move(data));
  const absl::StatusOr<proto::AppendLogResponse> response = scheduler_.AppendLog(request);
  if (response.ok()) {
    stored_ = std::min(response->stored_size(), spool_.size());
    backoff_ = absl::ZeroDuration();
    // The last pieces need not wait for their turn.
    if (!closed) {
      Wait(absl::Seconds(response->next_append_in().seconds()) + absl::Nanoseconds(response->next_append_in().nanos()));
    }
    return Next::kContinue;
  }
  if (IsFinal(response.status())) {
    logger_.Warning("the scheduler takes no more of a build's log",
                    {{"build", lease_.build_id}, {"fence", lease_.fence}, {"error", response.status()}});
    return Next::kEnd;
  }
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kLastBackoff);
  Wait(backoff_);
  return Next::kContinue;
}

void LogUploader::Wait(absl::Duration duration) {
  const absl::Duration end = clock_.Monotonic() + duration;
  while (!abandoned_ && clock_.Monotonic() < end) {
    clock_.SleepFor(std::min(kWaitStep, end - clock_.Monotonic()));
  }
}

}  // namespace davit::builder_agent
