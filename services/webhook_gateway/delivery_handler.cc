// Implements delivery_handler.h.
#include "services/webhook_gateway/delivery_handler.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"
#include "services/webhook_gateway/payload.h"
#include "services/webhook_gateway/provider.h"
#include "services/webhook_gateway/push_payload.h"

namespace davit::webhook_gateway {
namespace {

using nlohmann::json;

constexpr char kRetryAfterSeconds[] = "5";
constexpr size_t kMaxShownEvent = 64;
// What is parsed in less than a millisecond.
constexpr size_t kSmallBody = 32 << 10;
constexpr int kMaxSlow = 1024;  // requests that wait for a thread

http::ServerResponse RenderJson(int status, const json& body) {
  return {status,
          {{"Content-Type", "application/json"}, {"X-Content-Type-Options", "nosniff"}},
          body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"};
}

http::ServerResponse RenderMessage(int status, absl::string_view message) {
  return RenderJson(status, {{"message", std::string(message)}});
}

// The same for an unknown webhook and for one that may not report this repository.
http::ServerResponse NotFound() { return RenderError(404, "not found"); }

http::ServerResponse TooMany(absl::Duration wait) {
  http::ServerResponse response = RenderError(429, "too many deliveries of this webhook; deliver again later");
  response.headers.Set("Retry-After", absl::StrCat(absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1)))));
  return response;
}

// What the sender is told about a failed check of its own, or of another service's.
http::ServerResponse RenderFailure(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return NotFound();
    case absl::StatusCode::kUnauthenticated:
      return RenderError(401, status.message());
    case absl::StatusCode::kInvalidArgument:
      return RenderError(400, status.message());
    default: {
      http::ServerResponse response = RenderError(503, "temporarily unavailable; deliver again");
      response.headers.Set("Retry-After", kRetryAfterSeconds);
      return response;
    }
  }
}

// Errors of other services about the gateway itself are not the sender's business.
absl::Status FromService(const absl::Status& status) {
  if (!absl::IsUnauthenticated(status) && !absl::IsPermissionDenied(status)) return status;
  return absl::InternalError(status.message());
}

}  // namespace

struct DeliveryHandler::Exchange {
  http::Responder respond;
  absl::Duration start;
  std::string webhook;
  std::string provider = "unknown";
  std::string event;
  std::string delivery;
  std::string remote;
  absl::Status failure;
};

http::ServerResponse RenderError(int status, absl::string_view message) {
  return RenderJson(status, {{"error", std::string(message)}});
}

DeliveryHandler::DeliveryHandler(WebhookCache& webhooks, RateLimiter& limiter, EventLedger& ledger, Clock& clock,
                                 Logger logger, metrics::Registry& metrics, int threads)
    : webhooks_(webhooks),
      limiter_(limiter),
      ledger_(ledger),
      clock_(clock),
      logger_(std::move(logger)),
      metrics_(metrics),
      seconds_(metrics.GetHistogram("davit_webhook_gateway_delivery_seconds", "How long deliveries take to answer.",
                                    metrics::CallSeconds())),
      slow_("deliveries", threads, kMaxSlow) {}

void DeliveryHandler::Handle(const http::ServerRequest& request, http::Responder respond) {
  if (request.path == "/healthz") return respond(RenderMessage(200, "ok"));
  if (!absl::StartsWith(request.path, "/hooks/")) return respond(NotFound());
  if (request.method != "POST") {
    http::ServerResponse response = RenderError(405, "deliveries are sent with POST");
    response.headers.Set("Allow", "POST");
    return respond(std::move(response));
  }
  auto exchange = std::make_shared<Exchange>();
  exchange->respond = std::move(respond);
  exchange->start = clock_.Monotonic();
  exchange->remote = request.remote_address;
  const std::string id(absl::StripPrefix(request.path, "/hooks/"));
  if (!IsId("whk", id)) return Finish(*exchange, NotFound());
  exchange->webhook = id;
  if (request.body.size() <= kSmallBody) {
    const std::optional<absl::StatusOr<Webhook>> known = webhooks_.Known(id);
    if (known && known->ok() && Verify(**known, request).ok()) return Take(request, **known, std::move(exchange));
  }
  const absl::Status queued = slow_.Submit([this, &request, exchange] { Authenticate(request, exchange); });
  if (!queued.ok()) Fail(*exchange, queued);
}

// May ask the token-registry, and waits for it.
void DeliveryHandler::Authenticate(const http::ServerRequest& request, std::shared_ptr<Exchange> exchange) {
  absl::StatusOr<Webhook> webhook = webhooks_.Get(exchange->webhook);
  if (!webhook.ok()) return Fail(*exchange, FromService(webhook.status()));
  if (!Verify(*webhook, request).ok()) {
    webhook = webhooks_.Refresh(exchange->webhook);
    if (!webhook.ok()) return Fail(*exchange, FromService(webhook.status()));
    if (const absl::Status verified = Verify(*webhook, request); !verified.ok()) return Fail(*exchange, verified);
  }
  Take(request, *webhook, std::move(exchange));
}

absl::Status DeliveryHandler::Verify(const Webhook& webhook, const http::ServerRequest& request) const {
  return VerifySender(ProofOf(webhook.provider, request.headers, webhook.secret), request.headers, request.body,
                      webhook.secret, clock_.Now());
}

void DeliveryHandler::Take(const http::ServerRequest& request, const Webhook& webhook,
                           std::shared_ptr<Exchange> exchange) {
  exchange->provider = registry::v1::Provider_Name(webhook.provider);
  absl::StatusOr<Checked> checked = Check(request, webhook, *exchange);
  if (!checked.ok()) return Fail(*exchange, checked.status());
  if (auto* response = std::get_if<http::ServerResponse>(&*checked)) return Finish(*exchange, std::move(*response));
  ledger_.Ingest(std::get<Delivery>(*std::move(checked)),
                 [this, exchange = std::move(exchange)](absl::StatusOr<LedgerEntry> entry) {
                   if (!entry.ok()) return Fail(*exchange, FromService(entry.status()));
                   json body = {{"event", entry->event_id}};
                   if (entry->duplicate) body["message"] = absl::StrCat("duplicate of event ", entry->event_id);
                   Finish(*exchange, RenderJson(200, body));
                 });
}

// A verified delivery's way into the ledger, or why it has none.
absl::StatusOr<DeliveryHandler::Checked> DeliveryHandler::Check(const http::ServerRequest& request,
                                                                const Webhook& webhook, Exchange& exchange) {
  DAVIT_ASSIGN_OR_RETURN(const std::string event, EventName(webhook.provider, request.headers));
  exchange.event = event.substr(0, kMaxShownEvent);
  if (!IsPush(webhook.provider, event)) return RenderMessage(202, absl::StrCat("ignored: event ", exchange.event));
  if (const absl::Duration wait = limiter_.Take(webhook.id); wait > absl::ZeroDuration()) return TooMany(wait);
  Delivery delivery{webhook.project, webhook.connection_id, webhook.id, "", KeptHeaders(request.headers), {}};
  DAVIT_ASSIGN_OR_RETURN(delivery.delivery_id, DeliveryId(ProofOf(webhook.provider, request.headers, webhook.secret),
                                                          request.headers, request.body));
  exchange.delivery = delivery.delivery_id;
  std::string decoded;
  const std::string* content_type = request.headers.Find("Content-Type");
  DAVIT_ASSIGN_OR_RETURN(const absl::string_view text,
                         JsonText(content_type == nullptr ? "" : *content_type, request.body, decoded));
  DAVIT_ASSIGN_OR_RETURN(const JsonDocument payload, JsonDocument::Parse(text));
  DAVIT_ASSIGN_OR_RETURN(delivery.push, NormalizePush(webhook.provider, payload));
  if (!webhook.repository.empty() && !absl::EqualsIgnoreCase(webhook.repository, delivery.push.repository())) {
    return NotFound();
  }
  if (!IsBranchOrTag(delivery.push)) return RenderMessage(202, "ignored: neither a branch nor a tag");
  if (IsDeletion(delivery.push)) return RenderMessage(202, "ignored: ref deleted");
  return delivery;
}

void DeliveryHandler::Fail(Exchange& exchange, const absl::Status& status) {
  exchange.failure = status;
  Finish(exchange, RenderFailure(status));
}

// The handler may be gone when this returns: the answer is what its end waits for.
void DeliveryHandler::Finish(Exchange& exchange, http::ServerResponse response) {
  Record(exchange, response.status, response.body);
  exchange.respond(std::move(response));
}

void DeliveryHandler::Record(const Exchange& exchange, int status, absl::string_view outcome) {
  const absl::Duration took = clock_.Monotonic() - exchange.start;
  metrics_
      .GetCounter("davit_webhook_gateway_deliveries_total", "Deliveries by provider and HTTP status.",
                  {{"provider", exchange.provider}, {"status", absl::StrCat(status)}})
      .Increment();
  seconds_.Observe(took);
  const LogLevel level = status >= 500 ? LogLevel::kWarning : LogLevel::kInfo;
  if (!logger_.Writes(level)) return;
  logger_.Write(level, status >= 500 ? "delivery not taken" : "delivery",
                {{"webhook", exchange.webhook},
                 {"provider", exchange.provider},
                 {"event", exchange.event},
                 {"delivery", exchange.delivery},
                 {"remote", exchange.remote},
                 {"status", status},
                 {"outcome", absl::StripTrailingAsciiWhitespace(outcome)},
                 {"seconds", took},
                 {"cause", exchange.failure}});
}

}  // namespace davit::webhook_gateway
