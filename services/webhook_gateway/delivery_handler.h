// One HTTP request to the gateway → its answer: the order of checks that a delivery passes. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "libs/clock/clock.h"
#include "libs/http/server.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/executor.h"
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
  // Everything must outlive this object, which must outlive the requests. `threads` are there for what takes longer.
  DeliveryHandler(WebhookCache& webhooks, RateLimiter& limiter, EventLedger& ledger, Clock& clock, Logger logger,
                  metrics::Registry& metrics, int threads);

  // Never waits: a delivery that is small and whose sender is known at once is read by the caller's thread, any other
  // by one of the handler's; the ledger's answer is waited for by none.
  void Handle(const http::ServerRequest& request, http::Responder respond);

 private:
  struct Exchange;  // a delivery with what is logged about it, and where its answer goes
  using Checked = std::variant<http::ServerResponse, Delivery>;

  void Authenticate(const http::ServerRequest& request, std::shared_ptr<Exchange> exchange);
  absl::Status Verify(const Webhook& webhook, const http::ServerRequest& request) const;
  void Take(const http::ServerRequest& request, const Webhook& webhook, std::shared_ptr<Exchange> exchange);
  absl::StatusOr<Checked> Check(const http::ServerRequest& request, const Webhook& webhook, Exchange& exchange);
  void Fail(Exchange& exchange, const absl::Status& status);
  void Finish(Exchange& exchange, http::ServerResponse response);
  void Record(const Exchange& exchange, int status, absl::string_view outcome);

  WebhookCache& webhooks_;
  RateLimiter& limiter_;
  EventLedger& ledger_;
  Clock& clock_;
  const Logger logger_;
  metrics::Registry& metrics_;
  metrics::Histogram seconds_;
  rpc::Executor slow_;  // last: its tasks use the others
};

}  // namespace davit::webhook_gateway
