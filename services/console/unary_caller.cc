// Implements unary_caller.h with gRPC's generic stub: messages travel as bytes.
#include "services/console/unary_caller.h"

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/synchronization/notification.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"

namespace davit::console {
namespace {

const std::shared_ptr<grpc::Channel>& ChannelOf(const Backends& backends, Backend backend) {
  switch (backend) {
    case Backend::kTokenRegistry:
      return backends.token_registry;
    case Backend::kRuleEngine:
      return backends.rule_engine;
    case Backend::kScheduler:
      return backends.scheduler;
  }
  return backends.scheduler;
}

}  // namespace

absl::Status UnaryCaller::Call(const ApiMethod& method, const crypto::SecretString& token,
                               const google::protobuf::Message& request, google::protobuf::Message& response) {
  std::string bytes = request.SerializeAsString();
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer sent(&slice, 1);
  crypto::Wipe(bytes);  // it may hold a secret
  grpc::ByteBuffer received;
  grpc::ClientContext context;
  rpc::SetDeadline(context, method.timeout);
  rpc::SetBearerToken(context, token.Reveal());
  grpc::GenericStub stub(ChannelOf(backends_, method.backend));
  absl::Notification done;
  grpc::Status status;
  stub.UnaryCall(&context, method.path, grpc::StubOptions(), &sent, &received, [&](grpc::Status ended) {
    status = std::move(ended);
    done.Notify();
  });
  done.WaitForNotification();
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  grpc::Slice answer;
  if (!received.DumpToSingleSlice(&answer).ok() ||
      !response.ParseFromArray(answer.begin(), static_cast<int>(answer.size()))) {
    return absl::InternalError("a service's answer cannot be read");
  }
  return absl::OkStatus();
}

}  // namespace davit::console
