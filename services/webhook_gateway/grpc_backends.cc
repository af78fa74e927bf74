// Implements grpc_backends.h.
#include "services/webhook_gateway/grpc_backends.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/batch/batcher.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/retry.h"

namespace davit::webhook_gateway {
namespace {

constexpr size_t kMaxCallBytes = size_t{4} << 20;
constexpr absl::Duration kShortestCall = absl::Seconds(1);

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

// A delivery on its way, and when its sender is not to wait any longer (on the monotonic clock).
struct Pending {
  rules::v1::IngestEventRequest request;
  absl::Duration end;
};

class GrpcEventLedger : public EventLedger {
 public:
  GrpcEventLedger(std::shared_ptr<grpc::Channel> channel, absl::Duration timeout, Clock& clock, RandomSource& random)
      : stub_(rules::v1::RuleEngine::NewStub(std::move(channel))),
        timeout_(timeout),
        clock_(clock),
        random_(random),
        batcher_({.max_bytes = kMaxCallBytes},
                 [this](const std::string&, absl::Span<const Pending* const> batch) { return Call(batch); }) {}

  absl::StatusOr<LedgerEntry> Ingest(const Delivery& delivery) override {
    Pending pending{{}, clock_.Monotonic() + timeout_};
    rules::v1::IngestEventRequest& request = pending.request;
    request.set_project(delivery.project);
    request.set_connection_id(delivery.connection_id);
    request.set_webhook_id(delivery.webhook_id);
    request.set_delivery_id(delivery.delivery_id);
    request.mutable_headers()->insert(delivery.headers.begin(), delivery.headers.end());
    *request.mutable_push() = delivery.push;
    const size_t bytes = request.ByteSizeLong();
    Backoff backoff(absl::Milliseconds(100), absl::Seconds(1), 2, 0.3, random_);
    while (true) {
      absl::StatusOr<LedgerEntry> entry = batcher_.Submit({&pending, "", bytes});
      if (entry.ok() || !IsRetryable(entry.status().code())) return entry;
      const absl::Duration pause = backoff.Next();
      if (clock_.Monotonic() + pause >= pending.end) return entry;
      clock_.SleepFor(pause);
    }
  }

 private:
  using DeliveryBatcher = batch::Batcher<Pending, LedgerEntry>;

  // Hands the deliveries over, once.
  DeliveryBatcher::Answers Call(absl::Span<const Pending* const> batch) {
    rules::v1::IngestEventsRequest request;
    absl::Duration end = absl::InfiniteDuration();
    for (const Pending* pending : batch) {
      *request.add_events() = pending->request;
      end = std::min(end, pending->end);
    }
    grpc::ClientContext context;
    // One that has waited for long must not cut the others' time short.
    rpc::SetDeadline(context, std::max(end - clock_.Monotonic(), kShortestCall));
    rules::v1::IngestEventsResponse response;
    const grpc::Status status = stub_->IngestEvents(&context, request, &response);
    if (!status.ok()) return Failed(batch, rpc::FromGrpcStatus(status));
    DeliveryBatcher::Answers answers;
    for (const auto& outcome : response.outcomes()) {
      if (outcome.code() == 0) {
        answers.push_back(LedgerEntry{outcome.event().event_id(), outcome.event().duplicate()});
      } else {
        answers.push_back(absl::Status(static_cast<absl::StatusCode>(outcome.code()), outcome.message()));
      }
    }
    answers.resize(batch.size(), absl::InternalError("the rule-engine did not answer in full"));
    return answers;
  }

  // What a call that failed as a whole says about each delivery, whatever its code: nothing.
  DeliveryBatcher::Answers Failed(absl::Span<const Pending* const> batch, const absl::Status& status) {
    if (IsRetryable(status.code())) return DeliveryBatcher::Answers(batch.size(), status);
    const bool about_one = absl::IsInternal(status) || absl::IsInvalidArgument(status);
    if (batch.size() == 1 || !about_one) {
      return DeliveryBatcher::Answers(batch.size(), absl::InternalError(status.message()));
    }
    // One of them may be what cannot be read.
    DeliveryBatcher::Answers answers;
    for (const Pending* const& pending : batch) {
      answers.push_back(std::move(Call(absl::MakeConstSpan(&pending, 1)).front()));
    }
    return answers;
  }

  const std::unique_ptr<rules::v1::RuleEngine::Stub> stub_;
  const absl::Duration timeout_;
  Clock& clock_;
  RandomSource& random_;
  DeliveryBatcher batcher_;
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
