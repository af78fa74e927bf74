// The one place where absl::Status and grpc::Status become each other. Owns nothing; any thread.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace davit::rpc {

// The same code and message. Payloads are not carried.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The same code and message; an empty message becomes the code's name.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace davit::rpc
