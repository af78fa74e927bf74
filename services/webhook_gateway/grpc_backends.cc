// Implements grpc_backends.h.
#include "services/webhook_gateway/grpc_backends.h"

#include <grpcpp/grpcpp.h>

#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/retry.h"

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

class GrpcEventLedger : public EventLedger {
 public:
  GrpcEventLedger(std::shared_ptr<grpc::Channel> channel, absl::Duration timeout, Clock& clock, RandomSource& random)
      : stub_(rules::v1::RuleEngine::NewStub(std::move(channel))), timeout_(timeout), clock_(clock), random_(random) {}

  absl::StatusOr<LedgerEntry> Ingest(const Delivery& delivery) override {
    rules::v1::IngestEventRequest request;
    request.set_project(delivery.project);
    request.set_connection_id(delivery.connection_id);
    request.set_webhook_id(delivery.webhook_id);
    request.set_delivery_id(delivery.delivery_id);
    request.mutable_headers()->insert(delivery.headers.begin(), delivery.headers.end());
    *request.mutable_push() = delivery.push;
    const absl::Duration end = clock_.Monotonic() + timeout_;
    Backoff backoff(absl::Milliseconds(100), absl::Seconds(1), 2, 0.3, random_);
    while (true) {
      grpc::ClientContext context;
      rpc::SetDeadline(context, end - clock_.Monotonic());
      rules::v1::IngestEventResponse response;
      const grpc::Status status = stub_->IngestEvent(&context, request, &response);
      if (status.ok()) return LedgerEntry{response.event_id(), response.duplicate()};
      const absl::Status failure = rpc::FromGrpcStatus(status);
      const absl::Duration pause = backoff.Next();
      if (!IsRetryable(failure.code()) || clock_.Monotonic() + pause >= end) return failure;
      clock_.SleepFor(pause);
    }
  }

 private:
  const std::unique_ptr<rules::v1::RuleEngine::Stub> stub_;
  const absl::Duration timeout_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace

std::unique_ptr<WebhookSource> MakeGrpcWebhookSource(std::shared_ptr<grpc::Channel> token_registry,
                                                     absl::Duration timeout) {
  return std::make_unique<GrpcWebhookSource>(std::move(token_registry), timeout);
}

std::unique_ptr<EventLedger> MakeGrpcEventLedger(std::shared_ptr<grpc::Channel> rule_engine, absl::Duration timeout,
                                                 Clock& clock, RandomSource& random) {
  return std::make_unique<GrpcEventLedger>(std::move(rule_engine), timeout, clock, random);
}

}  // namespace davit::webhook_gateway
