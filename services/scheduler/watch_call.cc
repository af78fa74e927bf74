// Implements StartWatch of read_calls.h.
#include <optional>
#include <string>

#include "services/scheduler/conversion.h"
#include "services/scheduler/read_calls.h"
#include "services/scheduler/stream_call.h"

namespace davit::scheduler {
namespace {

class WatchCall : public StreamCall<v1::WatchBuildResponse> {
 public:
  WatchCall(const ReadCallDeps& deps, grpc::CallbackServerContext* context, const v1::WatchBuildRequest& request)
      : StreamCall(context, deps.executor), deps_(deps), request_(request) {
    Begin();
  }

 private:
  ~WatchCall() override {
    if (subscription_ != 0) deps_.hub.Unsubscribe(subscription_);
  }

  // Admits the caller and listens for changes before the first look, so that none is missed.
  absl::Status Open() {
    const absl::StatusOr<auth::Caller> caller = deps_.guard.Admit(context(), auth::Permission::kRead);
    if (!caller.ok()) return caller.status();
    absl::StatusOr<std::string> project = auth::ResolveProject(*caller, request_.project());
    if (!project.ok()) return project.status();
    project_ = *std::move(project);
    subscription_ = deps_.hub.Subscribe(request_.id(), Topic::kBuild, [this] { Wake(); });
    return absl::OkStatus();
  }

  Produced Produce(v1::WatchBuildResponse& message) override {
    if (subscription_ == 0) {
      const absl::Status opened = Open();
      if (!opened.ok()) return End(opened);
    }
    if (ended_) return End(absl::OkStatus());
    const absl::StatusOr<BuildRecord> build = deps_.builds.Get(project_, request_.id(), BuildDetail::kFull);
    if (!build.ok()) return End(build.status());
    if (build->revision != sent_) {
      sent_ = build->revision;
      ended_ = IsTerminal(build->state);
      *message.mutable_build() = ToProto(*build);
      return {Step::kMessage};
    }
    if (deps_.hub.closed()) return End(absl::UnavailableError("the scheduler is shutting down; call again"));
    return {Step::kWait};
  }

  const ReadCallDeps deps_;
  const v1::WatchBuildRequest request_;
  std::string project_;
  int64_t subscription_ = 0;
  int64_t sent_ = -1;
  bool ended_ = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::WatchBuildResponse>* StartWatch(const ReadCallDeps& deps,
                                                             grpc::CallbackServerContext* context,
                                                             const v1::WatchBuildRequest* request) {
  return new WatchCall(deps, context, *request);
}

}  // namespace davit::scheduler
