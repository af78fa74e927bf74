// Implements agent_service.h.
#include "services/scheduler/agent_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/conversion.h"
#include "services/scheduler/synchronize_call.h"
#include "services/scheduler/unary_call.h"

namespace davit::scheduler {
namespace {

constexpr size_t kMaxAppendBytes = 256 << 10;

}  // namespace

AgentService::AgentService(AgentServiceDeps deps, const ReadCallDeps& read_deps, AgentServiceOptions options)
    : deps_(std::move(deps)), read_deps_(read_deps), options_(options) {}

grpc::ServerUnaryReactor* AgentService::Synchronize(grpc::CallbackServerContext* context,
                                                    const v1::SynchronizeRequest* request,
                                                    v1::SynchronizeResponse* response) {
  return StartSynchronize(deps_, options_, context, request, response);
}

grpc::ServerUnaryReactor* AgentService::AppendLog(grpc::CallbackServerContext* context,
                                                  const v1::AppendLogRequest* request,
                                                  v1::AppendLogResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, deps_.guard.Admit(*context, auth::Permission::kWorkBuilds));
    if (request->offset() < 0) return absl::InvalidArgumentError("offset: must not be negative");
    if (request->data().size() > kMaxAppendBytes) {
      return absl::InvalidArgumentError(absl::StrCat("data: over ", kMaxAppendBytes, " bytes"));
    }
    DAVIT_ASSIGN_OR_RETURN(
        const int64_t stored,
        deps_.logs.Append(caller.project, request->build_id(), request->fence(), request->offset(), request->data()));
    deps_.hub.Notify(request->build_id(), Topic::kLog);
    response->set_stored_size(stored);
    *response->mutable_next_append_in() = ToProto(options_.append_interval);
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::ReadUploadResponse>* AgentService::ReadUpload(grpc::CallbackServerContext* context,
                                                                           const v1::ReadUploadRequest* request) {
  return StartReadUpload(read_deps_, context, request);
}

}  // namespace davit::scheduler
