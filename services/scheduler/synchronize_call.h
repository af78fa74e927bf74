// AgentService.Synchronize, one call: take in the reports, wait for a build if the agent is idle, answer with what it
// is to hold. Each object owns itself and lives as long as its call.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "davit/scheduler/v1/agent_service.pb.h"
#include "services/scheduler/agent_service.h"

namespace davit::scheduler {

// Starts answering. `deps` and `options` outlive the call.
grpc::ServerUnaryReactor* StartSynchronize(const AgentServiceDeps& deps, const AgentServiceOptions& options,
                                           grpc::CallbackServerContext* context, const v1::SynchronizeRequest* request,
                                           v1::SynchronizeResponse* response);

}  // namespace davit::scheduler
