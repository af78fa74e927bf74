// Implements log_follower.h.
#include "services/cli/log_follower.h"

#include <ostream>

#include "davit/scheduler/v1/scheduler.grpc.pb.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::scheduler::v1;

constexpr int kMostFruitlessTries = 10;

}  // namespace

LogFollower::LogFollower(Session& session, std::ostream& out)
    : session_(session),
      out_(out),
      backoff_(absl::Milliseconds(250), absl::Seconds(5), 2, 0.2, session.environment().random) {}

absl::Status LogFollower::Read(const LogRequest& request) {
  const bool newest = request.attempt == 0;
  int32_t attempt = request.attempt;
  int64_t offset = request.offset;
  for (int fruitless = 0;;) {
    progress_ = false;
    absl::Status status = ReadOnce(attempt, offset, request);
    // A resumed attempt has ended; there may be another one. What is sent again is dropped by Take.
    const bool look_for_more =
        newest && request.until == LogRequest::Until::kBuildEnds && attempt != 0 && attempt_ended_;
    if (status.ok() && !look_for_more) return status;
    if (!status.ok()) {
      fruitless = progress_ ? 1 : fruitless + 1;
      if (progress_) backoff_.Reset();
      if (!IsRetryable(status.code()) || fruitless > kMostFruitlessTries) return status;
      session_.environment().clock.SleepFor(backoff_.Next());
    }
    if (newest) {
      const bool in_the_middle = attempt_ != 0 && !attempt_ended_;
      attempt = in_the_middle ? attempt_ : 0;
      offset = in_the_middle ? next_ : attempt_ == 0 ? request.offset : 0;
    } else if (attempt_ != 0) {
      offset = next_;
    }
  }
}

absl::Status LogFollower::ReadOnce(int32_t attempt, int64_t offset, const LogRequest& request) {
  grpc::ClientContext context;
  v1::ReadLogRequest call;
  call.set_project(session_.project());
  call.set_build_id(request.build_id);
  call.set_attempt(attempt);
  call.set_offset(offset);
  call.set_follow(request.until == LogRequest::Until::kBuildEnds);
  const auto stub = v1::Scheduler::NewStub(session_.channel(Api::kScheduler));
  const auto reader = stub->ReadLog(&context, call);
  for (v1::ReadLogResponse message; reader->Read(&message);) Take(message, request);
  return rpc::FromGrpcStatus(reader->Finish());
}

void LogFollower::Take(const v1::ReadLogResponse& message, const LogRequest& request) {
  if (message.attempt() < attempt_) return;
  if (message.attempt() > attempt_) {
    if (attempt_ != 0) session_.environment().err << "-- attempt " << message.attempt() << " begins" << std::endl;
    next_ = attempt_ == 0 ? request.offset : 0;
    attempt_ = message.attempt();
    attempt_ended_ = false;
  }
  if (attempt_ended_) return;
  const std::string& data = message.data();
  const int64_t end = message.offset() + static_cast<int64_t>(data.size());
  if (end > next_) {
    const int64_t known = next_ > message.offset() ? next_ - message.offset() : 0;
    out_.write(data.data() + known, static_cast<std::streamsize>(data.size()) - known).flush();
    next_ = end;
    progress_ = true;
  }
  if (!message.end_of_attempt()) return;
  attempt_ended_ = true;
  progress_ = true;
  if (!message.complete()) {
    session_.environment().err << "-- the log of attempt " << attempt_ << " is not complete: its end was lost"
                               << std::endl;
  }
}

}  // namespace davit::cli
