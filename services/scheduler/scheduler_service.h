// davit.scheduler.v1.Scheduler: the API for clients. Translates between messages and the stores. gRPC's callback API:
// handlers run on an executor and hold no thread while they wait.
#pragma once

#include <functional>
#include <string>

#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/auth/call_guard.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/rpc/executor.h"
#include "services/scheduler/change_hub.h"
#include "services/scheduler/claim_dispatcher.h"
#include "services/scheduler/read_calls.h"
#include "services/scheduler/store/agent_store.h"
#include "services/scheduler/store/build_store.h"
#include "services/scheduler/store/queue_store.h"
#include "services/scheduler/store/upload_store.h"
#include "services/scheduler/token_registry_client.h"
#include "services/scheduler/upload_call.h"

namespace davit::scheduler {

// What the service works with; everything outlives it.
struct SchedulerServiceDeps {
  rpc::Executor& executor;
  auth::CallGuard& guard;
  BuildStore& builds;
  QueueStore& queue;
  AgentStore& agents;
  UploadStore& uploads;
  TokenRegistryClient& token_registry;
  ChangeHub& hub;
  ClaimDispatcher& dispatcher;
  Clock& clock;
  RandomSource& random;
  // An agent that has not called for so long is offline.
  absl::Duration agent_present_within;
};

class SchedulerService : public v1::Scheduler::CallbackService {
 public:
  SchedulerService(const SchedulerServiceDeps& deps, const ReadCallDeps& read_deps, const UploadCallDeps& upload_deps);

  grpc::ServerUnaryReactor* CreateBuild(grpc::CallbackServerContext* context, const v1::CreateBuildRequest* request,
                                        v1::CreateBuildResponse* response) override;
  grpc::ServerReadReactor<v1::UploadContextRequest>* UploadContext(grpc::CallbackServerContext* context,
                                                                   v1::UploadContextResponse* response) override;
  grpc::ServerUnaryReactor* GetBuild(grpc::CallbackServerContext* context, const v1::GetBuildRequest* request,
                                     v1::GetBuildResponse* response) override;
  grpc::ServerUnaryReactor* ListBuilds(grpc::CallbackServerContext* context, const v1::ListBuildsRequest* request,
                                       v1::ListBuildsResponse* response) override;
  grpc::ServerUnaryReactor* CancelBuild(grpc::CallbackServerContext* context, const v1::CancelBuildRequest* request,
                                        v1::CancelBuildResponse* response) override;
  grpc::ServerUnaryReactor* RetryBuild(grpc::CallbackServerContext* context, const v1::RetryBuildRequest* request,
                                       v1::RetryBuildResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchBuildResponse>* WatchBuild(grpc::CallbackServerContext* context,
                                                               const v1::WatchBuildRequest* request) override;
  grpc::ServerWriteReactor<v1::ReadLogResponse>* ReadLog(grpc::CallbackServerContext* context,
                                                         const v1::ReadLogRequest* request) override;
  grpc::ServerUnaryReactor* ExplainQueue(grpc::CallbackServerContext* context, const v1::ExplainQueueRequest* request,
                                         v1::ExplainQueueResponse* response) override;
  grpc::ServerUnaryReactor* ListAgents(grpc::CallbackServerContext* context, const v1::ListAgentsRequest* request,
                                       v1::ListAgentsResponse* response) override;
  grpc::ServerUnaryReactor* DrainAgent(grpc::CallbackServerContext* context, const v1::DrainAgentRequest* request,
                                       v1::DrainAgentResponse* response) override;
  grpc::ServerUnaryReactor* UndrainAgent(grpc::CallbackServerContext* context, const v1::UndrainAgentRequest* request,
                                         v1::UndrainAgentResponse* response) override;

 private:
  // A caller with the project that its request is about.
  struct Admitted {
    auth::Caller caller;
    std::string project;
  };

  absl::StatusOr<Admitted> Admit(grpc::CallbackServerContext& context, auth::Permission permission,
                                 const std::string& project);
  absl::Status DoCreateBuild(grpc::CallbackServerContext& context, const v1::CreateBuildRequest& request,
                             v1::CreateBuildResponse& response);
  absl::Status DoListBuilds(grpc::CallbackServerContext& context, const v1::ListBuildsRequest& request,
                            v1::ListBuildsResponse& response);
  absl::Status DoRetryBuild(grpc::CallbackServerContext& context, const v1::RetryBuildRequest& request,
                            v1::RetryBuildResponse& response);
  absl::Status DoListAgents(grpc::CallbackServerContext& context, const v1::ListAgentsRequest& request,
                            v1::ListAgentsResponse& response);
  absl::StatusOr<AgentRecord> SetDrain(grpc::CallbackServerContext& context, const std::string& id, DrainWish wish);
  absl::Status Resolve(const Admitted& admitted, v1::BuildSpec& spec);
  absl::StatusOr<CreatedBuild> Queue(const Admitted& admitted, const std::string& request_id,
                                     const std::string& request_digest, const v1::CreateBuildRequest& wanted);

  const SchedulerServiceDeps deps_;
  const ReadCallDeps read_deps_;
  const UploadCallDeps upload_deps_;
};

}  // namespace davit::scheduler
