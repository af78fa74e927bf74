// Implements client_context.h.
#include "libs/rpc/client_context.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "libs/rpc/metadata.h"

namespace davit::rpc {

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout));
}

void SetRequestId(grpc::ClientContext& context, absl::string_view request_id) {
  context.AddMetadata(kRequestId, std::string(request_id));
}

void SetBearerToken(grpc::ClientContext& context, absl::string_view token) {
  context.AddMetadata(kAuthorization, absl::StrCat("Bearer ", token));
}

}  // namespace davit::rpc
