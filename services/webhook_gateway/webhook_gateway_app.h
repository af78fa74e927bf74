// The webhook gateway, wired: what main.cc, standalone and tests start. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/webhook_gateway/backends.h"
#include "services/webhook_gateway/rate_limiter.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::webhook_gateway {

// Configuration of the gateway.
struct WebhookGatewayOptions {
  std::string listen = "127.0.0.1:7085";  // HTTP, address:port; port 0 takes a free one
  // GitHub waits 10 s for an answer; both together stay below that.
  absl::Duration webhook_timeout = absl::Seconds(2);
  absl::Duration ingest_timeout = absl::Seconds(6);
  int handler_threads = 16;  // for deliveries that are large, or whose webhook has to be asked for
  // Of each webhook's pushes; beyond it 429 with Retry-After.
  RateLimit rate_limit = {};
};

// Serves HTTP from Start until Drain. It has no gRPC services: its channel and its calls carry a token of the gateway's
// role.
class WebhookGatewayApp {
 public:
  // `clock`, `random` and `metrics` must outlive the app. INVALID_ARGUMENT: the rate limit lets nothing through.
  static absl::StatusOr<std::unique_ptr<WebhookGatewayApp>> Create(WebhookGatewayOptions options, Clock& clock,
                                                                   RandomSource& random, Logger logger,
                                                                   metrics::Registry& metrics,
                                                                   std::shared_ptr<grpc::Channel> token_registry,
                                                                   IngestCall ingest);
  ~WebhookGatewayApp();

  // Binds and serves. INVALID_ARGUMENT or UNAVAILABLE: `listen` cannot be used.
  absl::Status Start();

  // The bound port, after Start.
  uint16_t port() const;

  // Takes no more deliveries, lets the open ones finish until `deadline`.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  explicit WebhookGatewayApp(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::webhook_gateway
