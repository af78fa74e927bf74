// The gateway's backends over gRPC: webhooks from the token-registry, calls of the rule-engine. Thread-safe.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "services/webhook_gateway/backends.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::webhook_gateway {

// Asks TokenRegistry.GetWebhookSecret, once, for at most `timeout`.
std::unique_ptr<WebhookSource> MakeGrpcWebhookSource(std::shared_ptr<grpc::Channel> token_registry,
                                                     absl::Duration timeout);

// Calls RuleEngine.IngestEvents, once.
IngestCall IngestOver(std::shared_ptr<grpc::Channel> rule_engine);

}  // namespace davit::webhook_gateway
