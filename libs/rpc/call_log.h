// The server interceptor that writes one log line and one metric per call. Runs on gRPC's threads.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <set>
#include <string>

#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"

namespace davit::rpc {

// Makes an interceptor that logs each call of a server when its status is sent: method, code, message of an error,
// duration, and the request and token ids that auth::CallGuard put into the trailing metadata. Calls that succeed are
// logged at info level (those of `quiet_methods`, health and reflection at debug), errors of the service itself at
// error level.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewCallLog(Logger logger,
                                                                                  metrics::Registry& metrics,
                                                                                  std::set<std::string> quiet_methods);

}  // namespace davit::rpc
