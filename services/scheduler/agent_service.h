// davit.scheduler.v1.AgentService: the API for builder-agents. gRPC's callback API: handlers run on an executor, and a
// call of an idle agent is parked in the ClaimDispatcher without a thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "davit/scheduler/v1/agent_service.grpc.pb.h"
#include "libs/auth/call_guard.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/rpc/executor.h"
#include "services/scheduler/change_hub.h"
#include "services/scheduler/claim_dispatcher.h"
#include "services/scheduler/lease_granter.h"
#include "services/scheduler/read_calls.h"
#include "services/scheduler/store/lease_store.h"
#include "services/scheduler/store/log_store.h"
#include "services/scheduler/store/upload_store.h"

namespace davit::scheduler {

// How agents are answered.
struct AgentServiceOptions {
  absl::Duration lease_ttl = absl::Seconds(30);
  // When an agent that has builds is to call again: what a cancellation takes at most to reach it.
  absl::Duration busy_sync_interval = absl::Seconds(1);
  // How long an idle agent's call is parked at most.
  absl::Duration idle_park = absl::Seconds(30);
  // How far apart the appends to one log should be.
  absl::Duration append_interval = absl::Milliseconds(200);
};

// What the service works with; everything outlives it.
struct AgentServiceDeps {
  rpc::Executor& executor;
  auth::CallGuard& guard;
  LeaseStore& leases;
  LogStore& logs;
  UploadStore& uploads;
  LeaseGranter& granter;
  ClaimDispatcher& dispatcher;
  ChangeHub& hub;
  Clock& clock;
  RandomSource& random;
  // Runs after attempts ended: there may be something to publish, to revoke or to claim.
  std::function<void(const std::vector<EndedAttempt>&)> attempts_ended;
  Logger logger;
};

class AgentService : public v1::AgentService::CallbackService {
 public:
  AgentService(AgentServiceDeps deps, const ReadCallDeps& read_deps, AgentServiceOptions options);

  grpc::ServerUnaryReactor* Synchronize(grpc::CallbackServerContext* context, const v1::SynchronizeRequest* request,
                                        v1::SynchronizeResponse* response) override;
  grpc::ServerUnaryReactor* AppendLog(grpc::CallbackServerContext* context, const v1::AppendLogRequest* request,
                                      v1::AppendLogResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadUploadResponse>* ReadUpload(grpc::CallbackServerContext* context,
                                                               const v1::ReadUploadRequest* request) override;

 private:
  const AgentServiceDeps deps_;
  const ReadCallDeps read_deps_;
  const AgentServiceOptions options_;
};

}  // namespace davit::scheduler
