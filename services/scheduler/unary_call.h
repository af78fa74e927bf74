// Answers unary calls of gRPC's callback API on an executor, so that gRPC's own threads never block. Owns nothing.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "absl/status/status.h"
#include "libs/rpc/executor.h"
#include "libs/rpc/status_conversion.h"

namespace davit::scheduler {

// Runs `fn`, which returns absl::Status and fills the response, on `executor` and ends the call with its status. A full
// executor ends it with RESOURCE_EXHAUSTED.
template <typename Fn>
grpc::ServerUnaryReactor* AnswerOn(rpc::Executor& executor, grpc::CallbackServerContext* context, Fn fn) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status accepted =
      executor.Submit([reactor, fn = std::move(fn)]() mutable { reactor->Finish(rpc::ToGrpcStatus(fn())); });
  if (!accepted.ok()) reactor->Finish(rpc::ToGrpcStatus(accepted));
  return reactor;
}

}  // namespace davit::scheduler
