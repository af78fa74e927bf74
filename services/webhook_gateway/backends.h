// What the gateway needs from the other services, without gRPC. Implementations are thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "davit/registry/v1/connection.pb.h"
#include "davit/rules/v1/event.pb.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/crypto/secret.h"

namespace davit::webhook_gateway {

// A webhook endpoint with its secret.
struct Webhook {
  std::string id;
  std::string project;
  std::string connection_id;
  std::string repository;  // empty: any
  registry::v1::Provider provider = registry::v1::PROVIDER_UNSPECIFIED;
  crypto::SecretString secret;
};

// Where webhooks are kept.
class WebhookSource {
 public:
  virtual ~WebhookSource() = default;

  // NOT_FOUND: there is no such webhook. UNAVAILABLE and the like: it cannot be told now.
  virtual absl::StatusOr<Webhook> Get(const std::string& id) = 0;
};

// A verified push on its way into the ledger.
struct Delivery {
  std::string project;
  std::string connection_id;
  std::string webhook_id;
  std::string delivery_id;
  std::map<std::string, std::string> headers;
  rules::v1::PushEvent push;
};

// RuleEngine.IngestEvents, over a network or in this process; takes about `timeout` at most. Called by several threads.
using IngestCall = std::function<absl::StatusOr<rules::v1::IngestEventsResponse>(
    const rules::v1::IngestEventsRequest& request, absl::Duration timeout)>;

// What the ledger made of a delivery.
struct LedgerEntry {
  std::string event_id;
  bool duplicate = false;  // this delivery had been taken before, as `event_id`
};

// The ledger of events.
class EventLedger {
 public:
  virtual ~EventLedger() = default;

  using Done = std::function<void(absl::StatusOr<LedgerEntry>)>;

  // Calls `done` once, on any thread, when the delivery is durable or cannot be for now; giving the same again is
  // harmless. Does not wait; `done` must not either.
  virtual void Ingest(Delivery delivery, Done done) = 0;
};

}  // namespace davit::webhook_gateway
