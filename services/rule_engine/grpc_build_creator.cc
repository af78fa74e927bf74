// Calls of the scheduler.
#include "services/rule_engine/grpc_build_creator.h"

#include <grpcpp/channel.h>

#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"

namespace davit::rule_engine {

absl::StatusOr<std::string> GrpcBuildCreator::CreateBuild(const std::string& request) {
  scheduler::v1::CreateBuildRequest parsed;
  if (!parsed.ParseFromString(request)) return absl::InvalidArgumentError("the stored order is not readable");
  const auto stub = scheduler::v1::Scheduler::NewStub(scheduler_);
  grpc::ClientContext context;
  rpc::SetDeadline(context, BuildDispatcher::kCallTimeout);
  rpc::SetRequestId(context, parsed.origin().event_id());
  scheduler::v1::CreateBuildResponse response;
  const grpc::Status status = stub->CreateBuild(&context, parsed, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response.build().id();
}

}  // namespace davit::rule_engine
