// The gateway's backends over gRPC: webhooks from the token-registry, the ledger of the rule-engine. Thread-safe.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "services/webhook_gateway/backends.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::webhook_gateway {

// Asks TokenRegistry.GetWebhookSecret, once, for at most `timeout`.
std::unique_ptr<WebhookSource> MakeGrpcWebhookSource(std::shared_ptr<grpc::Channel> token_registry,
                                                     absl::Duration timeout);

// Calls RuleEngine.IngestEvents with the deliveries that come at the same time, again with each that fails in a way
// that may pass, for about `timeout` in all: most providers deliver once only. `clock` and `random` must outlive the
// ledger.
std::unique_ptr<EventLedger> MakeGrpcEventLedger(std::shared_ptr<grpc::Channel> rule_engine, absl::Duration timeout,
                                                 Clock& clock, RandomSource& random);

}  // namespace davit::webhook_gateway
