// The streaming calls that read: a build being watched, a log being followed, an upload being fetched. Each object owns
// itself and lives as long as its call.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/time/time.h"
#include "davit/scheduler/v1/agent_service.pb.h"
#include "davit/scheduler/v1/scheduler.pb.h"
#include "libs/auth/call_guard.h"
#include "libs/rpc/executor.h"
#include "services/scheduler/change_hub.h"
#include "services/scheduler/store/build_store.h"
#include "services/scheduler/store/lease_store.h"
#include "services/scheduler/store/log_store.h"
#include "services/scheduler/store/upload_store.h"

namespace davit::scheduler {

// What the calls work with; everything outlives the calls.
struct ReadCallDeps {
  rpc::Executor& executor;
  auth::CallGuard& guard;
  ChangeHub& hub;
  BuildStore& builds;
  LeaseStore& leases;
  LogStore& logs;
  UploadStore& uploads;
  // How long after an attempt's end the rest of its log may still come.
  absl::Duration log_tail_grace;
};

// Scheduler.WatchBuild.
grpc::ServerWriteReactor<v1::WatchBuildResponse>* StartWatch(const ReadCallDeps& deps,
                                                             grpc::CallbackServerContext* context,
                                                             const v1::WatchBuildRequest* request);

// Scheduler.ReadLog.
grpc::ServerWriteReactor<v1::ReadLogResponse>* StartReadLog(const ReadCallDeps& deps,
                                                            grpc::CallbackServerContext* context,
                                                            const v1::ReadLogRequest* request);

// AgentService.ReadUpload.
grpc::ServerWriteReactor<v1::ReadUploadResponse>* StartReadUpload(const ReadCallDeps& deps,
                                                                  grpc::CallbackServerContext* context,
                                                                  const v1::ReadUploadRequest* request);

}  // namespace davit::scheduler
