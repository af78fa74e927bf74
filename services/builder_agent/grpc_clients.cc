// The other services over gRPC.
#include "services/builder_agent/grpc_clients.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/scheduler/v1/agent_service.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

constexpr absl::Duration kCallTimeout = absl::Seconds(15);
// A large upload from a loaded scheduler; the build's own time limit ends it earlier.
constexpr absl::Duration kUploadTimeout = absl::Hours(1);

class GrpcSchedulerClient final : public SchedulerClient {
 public:
  explicit GrpcSchedulerClient(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(proto::AgentService::NewStub(channel)) {}

  absl::StatusOr<proto::SynchronizeResponse> Synchronize(const proto::SynchronizeRequest& request,
                                                         absl::Duration timeout, std::stop_token stop) override {
    grpc::ClientContext context;
    rpc::SetDeadline(context, timeout);
    const std::stop_callback on_stop(std::move(stop), [&context] { context.TryCancel(); });
    proto::SynchronizeResponse response;
    const grpc::Status status = stub_->Synchronize(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  absl::StatusOr<proto::AppendLogResponse> AppendLog(const proto::AppendLogRequest& request) override {
    grpc::ClientContext context;
    rpc::SetDeadline(context, kCallTimeout);
    proto::AppendLogResponse response;
    const grpc::Status status = stub_->AppendLog(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  absl::Status ReadUpload(const LeaseKey& lease, const std::function<absl::Status(absl::string_view)>& sink,
                          std::stop_token stop) override {
    grpc::ClientContext context;
    rpc::SetDeadline(context, kUploadTimeout);
    const std::stop_callback on_stop(std::move(stop), [&context] { context.TryCancel(); });
    proto::ReadUploadRequest request;
    request.set_build_id(lease.build_id);
    request.set_fence(lease.fence);
    const auto stream = stub_->ReadUpload(&context, request);
    proto::ReadUploadResponse response;
    absl::Status taken;
    while (taken.ok() && stream->Read(&response)) taken = sink(response.data());
    if (!taken.ok()) context.TryCancel();
    const grpc::Status status = stream->Finish();
    return taken.ok() ? rpc::FromGrpcStatus(status) : taken;
  }

 private:
  const std::unique_ptr<proto::AgentService::Stub> stub_;
};

class GrpcCredentialClient final : public CredentialClient {
 public:
  explicit GrpcCredentialClient(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(registry::v1::TokenRegistry::NewStub(channel)) {}

  absl::StatusOr<registry::v1::IssueBuildCredentialsResponse> Issue(const LeaseKey& lease) override {
    grpc::ClientContext context;
    rpc::SetDeadline(context, kCallTimeout);
    registry::v1::IssueBuildCredentialsRequest request;
    request.set_build_id(lease.build_id);
    request.set_fence(lease.fence);
    registry::v1::IssueBuildCredentialsResponse response;
    const grpc::Status status = stub_->IssueBuildCredentials(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

 private:
  const std::unique_ptr<registry::v1::TokenRegistry::Stub> stub_;
};

}  // namespace

std::unique_ptr<SchedulerClient> MakeSchedulerClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcSchedulerClient>(channel);
}

std::unique_ptr<CredentialClient> MakeCredentialClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcCredentialClient>(channel);
}

}  // namespace davit::builder_agent
