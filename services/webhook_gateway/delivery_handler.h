// One HTTP request to the gateway → its answer: the order of checks that a delivery passes. Thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/clock/clock.h"
#include "libs/http/server.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/webhook_gateway/backends.h"
#include "services/webhook_gateway/rate_limiter.h"
#include "services/webhook_gateway/webhook_cache.h"

namespace davit::webhook_gateway {

// The largest body that is read; GitHub delivers up to 25 MB.
inline constexpr int64_t kMaxBodyBytes = int64_t{25} << 20;

// Makes {"error": message}: what every answer of 400 and above looks like.
http::ServerResponse RenderError(int status, absl::string_view message);

// Answers `POST /hooks/{id}` and `GET /healthz`. A delivery is checked in this order: webhook (404), proof of origin
// (401), event (202 `ignored: event X`), rate (429 with Retry-After; of the webhook's verified pushes, so that only who
// knows the secret can use it up), JSON (400), repository (404), ref (400, or 202 `ignored: …`). Then it goes into the
// ledger, and only what is there is answered 200: {"event": "evt_…"}, with "message": "duplicate of event
// evt_…" when it was there before. When another service cannot answer: 503 with Retry-After.
class DeliveryHandler {
 public:
  // Everything must outlive this object.
  DeliveryHandler(WebhookCache& webhooks, RateLimiter& limiter, EventLedger& ledger, Clock& clock, Logger logger,
                  metrics::Registry& metrics);

  http::ServerResponse Handle(const http::ServerRequest& request);

 private:
  struct Trace;  // what is logged about a delivery

  http::ServerResponse HandleDelivery(const http::ServerRequest& request, Trace& trace);
  http::ServerResponse Take(const http::ServerRequest& request, const Webhook& webhook, Trace& trace);
  absl::StatusOr<Webhook> Authenticate(const std::string& id, const http::ServerRequest& request);
  absl::Status Verify(const Webhook& webhook, const http::ServerRequest& request);
  void Record(const Trace& trace, int status, absl::string_view outcome, absl::Duration took);

  WebhookCache& webhooks_;
  RateLimiter& limiter_;
  EventLedger& ledger_;
  Clock& clock_;
  const Logger logger_;
  metrics::Registry& metrics_;
};

}  // namespace davit::webhook_gateway
