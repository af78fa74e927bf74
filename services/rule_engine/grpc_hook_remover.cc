// Calls of the token-registry that remove webhooks.
#include "services/rule_engine/grpc_hook_remover.h"

#include <grpcpp/channel.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"

namespace davit::rule_engine {
namespace {

// The registry asks the provider.
constexpr absl::Duration kTimeout = absl::Seconds(30);
constexpr int kPageSize = 500;

// Whatever is no answer about the webhook may be another one later.
absl::Status FromRegistry(const grpc::Status& answer) {
  const absl::Status status = rpc::FromGrpcStatus(answer);
  if (status.ok() || absl::IsNotFound(status) || absl::IsFailedPrecondition(status) ||
      absl::IsInvalidArgument(status)) {
    return status;
  }
  return absl::UnavailableError(absl::StrCat("the token registry does not answer: ", status.message()));
}

}  // namespace

// Keeps gRPC's generated code out of the header.
class GrpcHookRemover::Stub {
 public:
  explicit Stub(std::shared_ptr<grpc::Channel> channel) : stub_(registry::v1::TokenRegistry::NewStub(channel)) {}

  absl::StatusOr<registry::v1::ListWebhooksResponse> List(const registry::v1::ListWebhooksRequest& request) {
    grpc::ClientContext context;
    Prepare(context);
    registry::v1::ListWebhooksResponse response;
    DAVIT_RETURN_IF_ERROR(FromRegistry(stub_->ListWebhooks(&context, request, &response)));
    return response;
  }

  absl::Status Remove(const registry::v1::RemoveWebhookRequest& request) {
    grpc::ClientContext context;
    Prepare(context);
    registry::v1::RemoveWebhookResponse response;
    return FromRegistry(stub_->RemoveWebhook(&context, request, &response));
  }

 private:
  static void Prepare(grpc::ClientContext& context) {
    rpc::SetDeadline(context, kTimeout);
    rpc::SetRequestId(context, "hook releaser");
  }

  const std::unique_ptr<registry::v1::TokenRegistry::Stub> stub_;
};

GrpcHookRemover::GrpcHookRemover(std::shared_ptr<grpc::Channel> token_registry)
    : stub_(std::make_unique<Stub>(std::move(token_registry))) {}

GrpcHookRemover::~GrpcHookRemover() = default;

absl::Status GrpcHookRemover::RemoveHook(const std::string& project, const std::string& connection_id,
                                         const std::string& repository) {
  registry::v1::ListWebhooksRequest request;
  request.set_project(project);
  request.set_connection_id(connection_id);
  request.set_page_size(kPageSize);
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const registry::v1::ListWebhooksResponse page, stub_->List(request));
    for (const registry::v1::Webhook& webhook : page.webhooks()) {
      // Only GitHub and GitLab have installed webhooks, and they do not tell names apart by case. One that was entered
      // by hand belongs to who did.
      if (webhook.provider_hook_id().empty() || !absl::EqualsIgnoreCase(webhook.repository(), repository)) continue;
      registry::v1::RemoveWebhookRequest remove;
      remove.set_project(project);
      remove.set_id(webhook.id());
      const absl::Status removed = stub_->Remove(remove);
      if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
    }
    if (page.next_page_token().empty()) return absl::OkStatus();
    request.set_page_token(page.next_page_token());
  }
}

}  // namespace davit::rule_engine
