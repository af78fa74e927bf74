// Scheduler.UploadContext: takes an upload message by message and stores it in chunks. Each object owns itself and
// lives as long as its call.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "davit/scheduler/v1/scheduler.pb.h"
#include "libs/auth/call_guard.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/rpc/executor.h"
#include "services/scheduler/store/upload_store.h"

namespace davit::scheduler {

// What the call works with; everything outlives it.
struct UploadCallDeps {
  rpc::Executor& executor;
  auth::CallGuard& guard;
  UploadStore& uploads;
  Clock& clock;
  RandomSource& random;
  int64_t max_size;
};

// Starts taking an upload.
grpc::ServerReadReactor<v1::UploadContextRequest>* StartUpload(const UploadCallDeps& deps,
                                                               grpc::CallbackServerContext* context,
                                                               v1::UploadContextResponse* response);

}  // namespace davit::scheduler
