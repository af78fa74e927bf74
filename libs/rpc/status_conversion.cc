// Implements status_conversion.h.
#include "libs/rpc/status_conversion.h"

#include <string>

namespace davit::rpc {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // The two enumerations have the same numbers: both are google.rpc.Code.
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  if (status.error_message().empty()) return absl::Status(code, absl::StatusCodeToString(code));
  return absl::Status(code, status.error_message());
}

}  // namespace davit::rpc
