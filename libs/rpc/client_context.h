// What every call of a client sets on its context. Owns nothing.
#pragma once

#include <grpcpp/client_context.h>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::rpc {

// Ends the call with DEADLINE_EXCEEDED `timeout` from now. Every unary call needs a deadline.
void SetDeadline(grpc::ClientContext& context, absl::Duration timeout);

// Carries on the request id of the call that this call is made for, so that the log lines of all services can be found
// by one id. Without it the channel makes up a new one.
void SetRequestId(grpc::ClientContext& context, absl::string_view request_id);

// Makes the call with this token, instead of the channel's: for callers that act for somebody else.
void SetBearerToken(grpc::ClientContext& context, absl::string_view token);

}  // namespace davit::rpc
