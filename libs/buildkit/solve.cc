// Runs one build in BuildKit and follows it: Control.Solve and Control.Status side by side.
#include "libs/buildkit/solve.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "moby/buildkit/v1/control.grpc.pb.h"

namespace davit::buildkit {
namespace {

namespace control = moby::buildkit::v1;

// How long nothing of the progress may arrive after the build has ended, before the rest of it is given up.
constexpr absl::Duration kProgressGrace = absl::Seconds(3);

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

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> Solve(const std::shared_ptr<grpc::Channel>& channel,
                                                         const SolveSpec& spec, ProgressSink& progress,
                                                         std::stop_token cancelled) {
  const std::unique_ptr<control::Control::Stub> stub = control::Control::NewStub(channel);
  const std::stop_token stopped = cancelled;
  grpc::ClientContext solve_call;
  grpc::ClientContext status_call;
  const std::stop_callback cancel(std::move(cancelled), [&] {
    solve_call.TryCancel();
    status_call.TryCancel();
  });
  absl::Notification progress_ended;
  std::atomic<int64_t> responses = 0;
  std::thread follower([&] {
    control::StatusRequest request;
    request.set_ref(spec.id);
    const auto stream = stub->Status(&status_call, request);
    control::StatusResponse response;
    while (stream->Read(&response)) {
      ++responses;
      Report(response, progress);
    }
    stream->Finish();
    progress_ended.Notify();
  });
  control::SolveResponse response;
  const grpc::Status status = stub->Solve(&solve_call, ToRequest(spec), &response);
  // A long log takes its time, however long ago its step ended.
  bool gave_up = false;
  for (int64_t seen = -1; !gave_up && !progress_ended.WaitForNotificationWithTimeout(kProgressGrace);) {
    gave_up = responses == seen;
    seen = responses;
  }
  status_call.TryCancel();
  follower.join();
  if (gave_up) progress.OnMessage("warning: the rest of BuildKit's output did not arrive");
  if (!status.ok()) return ToStatus(status, stopped);
  return std::map<std::string, std::string>(response.exporter_response().begin(), response.exporter_response().end());
}

}  // namespace davit::buildkit
