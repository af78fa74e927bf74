// Runs one build in BuildKit and follows it: Control.Solve and Control.Status side by side.
#include "libs/buildkit/solve.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "moby/buildkit/v1/control.grpc.pb.h"

namespace davit::buildkit {
namespace {

namespace control = moby::buildkit::v1;

// How long nothing of the progress may arrive after the build has ended, before the rest of it is given up.
constexpr absl::Duration kProgressGrace = absl::Seconds(3);

// The BuildKit of Docker 20.10 sends empty responses for ever, as fast as it can and nothing else, once more than 1 MiB
// of output waits to be sent. So many in a row never come otherwise.
constexpr int kEmptyResponses = 16;
constexpr char kLost[] =
    "warning: a part of the output is missing here: BuildKit had too much of it at once and lost it";

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

void Report(const control::StatusResponse& response, ProgressSink& progress) {
  for (const control::Vertex& vertex : response.vertexes()) {
    StepUpdate step;
    step.digest = vertex.digest();
    step.name = vertex.name();
    step.cached = vertex.cached();
    if (vertex.has_started()) step.started = ToTime(vertex.started());
    if (vertex.has_completed()) step.completed = ToTime(vertex.completed());
    step.error = vertex.error();
    progress.OnStep(step);
  }
  for (const control::VertexLog& log : response.logs()) progress.OnOutput(log.vertex(), log.msg());
  for (const control::VertexWarning& warning : response.warnings()) {
    progress.OnMessage(absl::StrCat("warning: ", warning.short_()));
  }
}

control::SolveRequest ToRequest(const SolveSpec& spec) {
  control::SolveRequest request;
  request.set_ref(spec.id);
  request.set_session(spec.session_id);
  request.set_frontend("dockerfile.v0");
  request.mutable_frontend_attrs()->insert(spec.frontend_attributes.begin(), spec.frontend_attributes.end());
  for (const std::string& entitlement : spec.entitlements) request.add_entitlements(entitlement);
  // Older daemons read the one, newer ones the other.
  control::Exporter& exporter = *request.add_exporters();
  exporter.set_type(spec.exporter);
  exporter.mutable_attrs()->insert(spec.exporter_attributes.begin(), spec.exporter_attributes.end());
  request.set_exporter_deprecated(exporter.type());
  *request.mutable_exporter_attrs_deprecated() = exporter.attrs();
  return request;
}

absl::Status ToStatus(const grpc::Status& status, const std::stop_token& cancelled) {
  if (cancelled.stop_requested()) return absl::CancelledError("the build was stopped");
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return absl::UnavailableError(absl::StrCat("BuildKit broke off: ", status.error_message()));
    case grpc::StatusCode::CANCELLED:
      return absl::UnavailableError(absl::StrCat("BuildKit gave the build up: ", status.error_message()));
    default:
      return absl::FailedPreconditionError(status.error_message());
  }
}

// Follows a build's progress on a thread of its own.
class Follower {
 public:
  Follower(control::Control::Stub& stub, std::string id, ProgressSink& progress)
      : stub_(stub), id_(std::move(id)), progress_(progress), thread_([this] { Run(); }) {}

  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower() {
    Cancel();
    thread_.join();
  }

  // Ends it, from any thread.
  void Cancel() {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
    if (call_ != nullptr) call_->TryCancel();
  }

  // The build has ended: waits for the rest of the progress. A long log takes its time, however long ago its step
  // ended; false: nothing came any more, but not the end either.
  bool AwaitEnd() {
    {
      absl::MutexLock lock(&mutex_);
      over_ = true;
    }
    for (int64_t seen = -1; !ended_.WaitForNotificationWithTimeout(kProgressGrace);) {
      if (responses_ == seen) return false;
      seen = responses_;
    }
    return true;
  }

 private:
  void Run() {
    while (FollowOnce()) progress_.OnMessage(kLost);
    ended_.Notify();
  }

  // Returns whether the engine has lost its way, and is to be asked anew.
  bool FollowOnce() {
    grpc::ClientContext call;
    control::StatusRequest request;
    request.set_ref(id_);
    {
      absl::MutexLock lock(&mutex_);
      if (cancelled_ || (over_ && responses_ > 0)) return false;
      call_ = &call;
    }
    const auto stream = stub_.Status(&call, request);
    control::StatusResponse response;
    int empty = 0;
    while (empty < kEmptyResponses && stream->Read(&response)) {
      empty = response.ByteSizeLong() == 0 ? empty + 1 : 0;
      if (empty > 0) continue;
      ++responses_;
      Report(response, progress_);
    }
    const bool lost = empty == kEmptyResponses;
    if (lost) call.TryCancel();
    while (stream->Read(&response)) continue;
    stream->Finish();
    absl::MutexLock lock(&mutex_);
    call_ = nullptr;
    return lost;
  }

  control::Control::Stub& stub_;
  const std::string id_;
  ProgressSink& progress_;
  absl::Mutex mutex_;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;  // The build has ended.
  std::atomic<int64_t> responses_ = 0;
  absl::Notification ended_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> Solve(const std::shared_ptr<grpc::Channel>& channel,
                                                         const SolveSpec& spec, ProgressSink& progress,
                                                         std::stop_token cancelled) {
  const std::unique_ptr<control::Control::Stub> stub = control::Control::NewStub(channel);
  const std::stop_token stopped = cancelled;
  grpc::ClientContext solve_call;
  grpc::Status status;
  control::SolveResponse response;
  bool whole = true;
  {
    Follower follower(*stub, spec.id, progress);
    const std::stop_callback cancel(std::move(cancelled), [&] {
      solve_call.TryCancel();
      follower.Cancel();
    });
    status = stub->Solve(&solve_call, ToRequest(spec), &response);
    whole = follower.AwaitEnd();
  }
  if (!whole) progress.OnMessage("warning: the rest of BuildKit's output did not arrive");
  if (!status.ok()) return ToStatus(status, stopped);
  return std::map<std::string, std::string>(response.exporter_response().begin(), response.exporter_response().end());
}

}  // namespace davit::buildkit
