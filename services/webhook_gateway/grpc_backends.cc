// Implements grpc_backends.h.
#include "services/webhook_gateway/grpc_backends.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"

namespace davit::webhook_gateway {
namespace {

class GrpcWebhookSource : public WebhookSource {
 public:
  GrpcWebhookSource(std::shared_ptr<grpc::Channel> channel, absl::Duration timeout)
      : stub_(registry::v1::TokenRegistry::NewStub(std::move(channel))), timeout_(timeout) {}

  absl::StatusOr<Webhook> Get(const std::string& id) override {
    grpc::ClientContext context;
    rpc::SetDeadline(context, timeout_);
    registry::v1::GetWebhookSecretRequest request;
    request.set_id(id);
    registry::v1::GetWebhookSecretResponse response;
    const grpc::Status status = stub_->GetWebhookSecret(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    const registry::v1::Webhook& found = response.webhook();
    return Webhook{found.id(),         found.project(),  found.connection_id(),
                   found.repository(), found.provider(), crypto::SecretString(std::move(*response.mutable_secret()))};
  }

 private:
  const std::unique_ptr<registry::v1::TokenRegistry::Stub> stub_;
  const absl::Duration timeout_;
};

}  // namespace

std::unique_ptr<WebhookSource> MakeGrpcWebhookSource(std::shared_ptr<grpc::Channel> token_registry,
                                                     absl::Duration timeout) {
  return std::make_unique<GrpcWebhookSource>(std::move(token_registry), timeout);
}

IngestCall IngestOver(std::shared_ptr<grpc::Channel> rule_engine) {
  const std::shared_ptr<rules::v1::RuleEngine::Stub> stub = rules::v1::RuleEngine::NewStub(std::move(rule_engine));
  return [stub](const rules::v1::IngestEventsRequest& request,
                absl::Duration timeout) -> absl::StatusOr<rules::v1::IngestEventsResponse> {
    grpc::ClientContext context;
    rpc::SetDeadline(context, timeout);
    rules::v1::IngestEventsResponse response;
    const grpc::Status status = stub->IngestEvents(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  };
}

}  // namespace davit::webhook_gateway
