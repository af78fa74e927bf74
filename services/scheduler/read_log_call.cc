// Implements StartReadLog of read_calls.h.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/scheduler/read_calls.h"
#include "services/scheduler/stream_call.h"

namespace davit::scheduler {
namespace {

// Bytes of a message at most.
constexpr size_t kMessageBytes = 64 << 10;
// Bytes read from the database at a time, at most: a question for each message would cost more than the bytes.
constexpr int64_t kReadBytes = 512 << 10;

class ReadLogCall : public StreamCall<v1::ReadLogResponse> {
 public:
  ReadLogCall(const ReadCallDeps& deps, grpc::CallbackServerContext* context, const v1::ReadLogRequest& request)
      : StreamCall(context, deps.executor),
        deps_(deps),
        request_(request),
        attempt_(request.attempt()),
        offset_(request.offset()) {
    Begin();
  }

 private:
  ~ReadLogCall() override {
    if (subscription_ != 0) deps_.hub.Unsubscribe(subscription_);
  }

  absl::Status Open() {
    const absl::StatusOr<auth::Caller> caller = deps_.guard.Admit(context(), auth::Permission::kRead);
    if (!caller.ok()) return caller.status();
    absl::StatusOr<std::string> project = auth::ResolveProject(*caller, request_.project());
    if (!project.ok()) return project.status();
    if (request_.offset() < 0) return absl::InvalidArgumentError("offset: must not be negative");
    if (request_.attempt() < 0) return absl::InvalidArgumentError("attempt: must not be negative");
    project_ = *std::move(project);
    // Also for a call that does not follow: it is what tells that the call has begun.
    subscription_ = deps_.hub.Subscribe(request_.build_id(), Topic::kLog, [this] { Wake(); });
    return absl::OkStatus();
  }

  Produced Produce(v1::ReadLogResponse& message) override {
    if (subscription_ == 0) {
      const absl::Status opened = Open();
      if (!opened.ok()) return End(opened);
    }
    if (sent_ < read_.size()) return SendRead(message);
    absl::StatusOr<LogState> state = deps_.logs.State(project_, request_.build_id(), attempt_);
    if (!state.ok()) return End(state.status());
    if (state->attempt == 0) return NoAttempt(*state);
    attempt_ = state->attempt;
    if (!end_sent_) {
      if (offset_ < state->size) return SendData(*state, message);
      const bool over = state->ended &&
                        (!state->expected.has_value() || state->complete() || state->ended_for > deps_.log_tail_grace);
      if (over && offset_ > state->size) {
        return End(absl::OutOfRangeError(absl::StrCat("offset: the log has ended at ", state->size)));
      }
      if (over) return SendEnd(*state, message);
      return WaitOrEnd(BuildState::kRunning);
    }
    if (!request_.follow() || request_.attempt() != 0) return End(absl::OkStatus());
    if (state->newest_attempt > attempt_) return NextAttempt(message);
    return WaitOrEnd(state->state);
  }

  Produced NoAttempt(const LogState& state) {
    if (attempt_ != 0) {
      return End(absl::NotFoundError(absl::StrCat("attempt: ", request_.build_id(), " has no attempt ", attempt_)));
    }
    return WaitOrEnd(state.state);
  }

  Produced SendData(const LogState& state, v1::ReadLogResponse& message) {
    absl::StatusOr<std::string> data =
        deps_.logs.Read(project_, request_.build_id(), state.attempt, offset_, kReadBytes);
    if (!data.ok()) return End(data.status());
    read_ = *std::move(data);
    sent_ = 0;
    return SendRead(message);
  }

  // Sends the next piece of what was read.
  Produced SendRead(v1::ReadLogResponse& message) {
    message.set_offset(offset_);
    message.set_attempt(attempt_);
    message.set_data(read_.substr(sent_, kMessageBytes));
    sent_ += message.data().size();
    offset_ += static_cast<int64_t>(message.data().size());
    if (sent_ == read_.size()) {
      std::string().swap(read_);
      sent_ = 0;
    }
    return {Step::kMessage};
  }

  Produced SendEnd(const LogState& state, v1::ReadLogResponse& message) {
    end_sent_ = true;
    message.set_offset(offset_);
    message.set_attempt(state.attempt);
    message.set_end_of_attempt(true);
    message.set_complete(state.complete());
    return {Step::kMessage};
  }

  Produced NextAttempt(v1::ReadLogResponse& message) {
    ++attempt_;
    offset_ = 0;
    end_sent_ = false;
    return Produce(message);
  }

  // Nothing to send now: waits when the caller follows and the build goes on.
  Produced WaitOrEnd(BuildState state) {
    if (!request_.follow() || IsTerminal(state)) return End(absl::OkStatus());
    if (deps_.hub.closed()) return End(absl::UnavailableError("the scheduler is shutting down; call again"));
    return {Step::kWait};
  }

  const ReadCallDeps deps_;
  const v1::ReadLogRequest request_;
  std::string project_;
  int64_t subscription_ = 0;
  int attempt_;  // 0 = the newest, not known yet.
  int64_t offset_;
  std::string read_;  // What was read from `offset_ - sent_` on, while there is more of it to send.
  size_t sent_ = 0;
  bool end_sent_ = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::ReadLogResponse>* StartReadLog(const ReadCallDeps& deps,
                                                            grpc::CallbackServerContext* context,
                                                            const v1::ReadLogRequest* request) {
  return new ReadLogCall(deps, context, *request);
}

}  // namespace davit::scheduler
