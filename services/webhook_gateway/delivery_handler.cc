// Implements delivery_handler.h.
#include "services/webhook_gateway/delivery_handler.h"

#include <nlohmann/json.hpp>

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

struct DeliveryHandler::Trace {
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
                                 Logger logger, metrics::Registry& metrics)
    : webhooks_(webhooks),
      limiter_(limiter),
      ledger_(ledger),
      clock_(clock),
      logger_(std::move(logger)),
      metrics_(metrics) {}

http::ServerResponse DeliveryHandler::Handle(const http::ServerRequest& request) {
  if (request.path == "/healthz") return RenderMessage(200, "ok");
  if (!absl::StartsWith(request.path, "/hooks/")) return NotFound();
  if (request.method != "POST") {
    http::ServerResponse response = RenderError(405, "deliveries are sent with POST");
    response.headers.Set("Allow", "POST");
    return response;
  }
  const absl::Duration start = clock_.Monotonic();
  Trace trace;
  trace.remote = request.remote_address;
  http::ServerResponse response = HandleDelivery(request, trace);
  if (!trace.failure.ok()) response = RenderFailure(trace.failure);
  Record(trace, response.status, response.body, clock_.Monotonic() - start);
  return response;
}

http::ServerResponse DeliveryHandler::HandleDelivery(const http::ServerRequest& request, Trace& trace) {
  const std::string id(absl::StripPrefix(request.path, "/hooks/"));
  if (!IsId("whk", id)) return NotFound();
  trace.webhook = id;
  const absl::StatusOr<Webhook> webhook = Authenticate(id, request);
  if (!webhook.ok()) {
    trace.failure = webhook.status();
    return {};
  }
  trace.provider = registry::v1::Provider_Name(webhook->provider);
  return Take(request, *webhook, trace);
}

absl::StatusOr<Webhook> DeliveryHandler::Authenticate(const std::string& id, const http::ServerRequest& request) {
  absl::StatusOr<Webhook> webhook = webhooks_.Get(id);
  if (!webhook.ok()) return FromService(webhook.status());
  if (Verify(*webhook, request).ok()) return webhook;
  absl::StatusOr<Webhook> fresh = webhooks_.Refresh(id);
  if (!fresh.ok()) return FromService(fresh.status());
  DAVIT_RETURN_IF_ERROR(Verify(*fresh, request));
  return fresh;
}

absl::Status DeliveryHandler::Verify(const Webhook& webhook, const http::ServerRequest& request) {
  return VerifySender(ProofOf(webhook.provider, request.headers, webhook.secret), request.headers, request.body,
                      webhook.secret, clock_.Now());
}

http::ServerResponse DeliveryHandler::Take(const http::ServerRequest& request, const Webhook& webhook, Trace& trace) {
  const auto fail = [&trace](absl::Status status) {
    trace.failure = std::move(status);
    return http::ServerResponse{};
  };
  const absl::StatusOr<std::string> event = EventName(webhook.provider, request.headers);
  if (!event.ok()) return fail(event.status());
  trace.event = event->substr(0, kMaxShownEvent);
  if (!IsPush(webhook.provider, *event)) return RenderMessage(202, absl::StrCat("ignored: event ", trace.event));
  if (const absl::Duration wait = limiter_.Take(webhook.id); wait > absl::ZeroDuration()) return TooMany(wait);
  Delivery delivery{webhook.project, webhook.connection_id, webhook.id, "", KeptHeaders(request.headers), {}};
  const absl::StatusOr<std::string> delivery_id =
      DeliveryId(ProofOf(webhook.provider, request.headers, webhook.secret), request.headers, request.body);
  if (!delivery_id.ok()) return fail(delivery_id.status());
  trace.delivery = delivery.delivery_id = *delivery_id;

  const absl::StatusOr<std::string> text = JsonText(request.headers.Get("Content-Type").value_or(""), request.body);
  if (!text.ok()) return fail(text.status());
  const absl::StatusOr<json> payload = ParseJson(*text);
  if (!payload.ok()) return fail(payload.status());
  absl::StatusOr<rules::v1::PushEvent> push = NormalizePush(webhook.provider, *payload);
  if (!push.ok()) return fail(push.status());
  if (!webhook.repository.empty() && !absl::EqualsIgnoreCase(webhook.repository, push->repository())) return NotFound();
  if (!IsBranchOrTag(*push)) return RenderMessage(202, "ignored: neither a branch nor a tag");
  if (IsDeletion(*push)) return RenderMessage(202, "ignored: ref deleted");
  delivery.push = *std::move(push);

  const absl::StatusOr<LedgerEntry> entry = ledger_.Ingest(delivery);
  if (!entry.ok()) return fail(FromService(entry.status()));
  json body = {{"event", entry->event_id}};
  if (entry->duplicate) body["message"] = absl::StrCat("duplicate of event ", entry->event_id);
  return RenderJson(200, body);
}

void DeliveryHandler::Record(const Trace& trace, int status, absl::string_view outcome, absl::Duration took) {
  metrics_
      .GetCounter("davit_webhook_gateway_deliveries_total", "Deliveries by provider and HTTP status.",
                  {{"provider", trace.provider}, {"status", absl::StrCat(status)}})
      .Increment();
  metrics_
      .GetHistogram("davit_webhook_gateway_delivery_seconds", "How long deliveries take to answer.",
                    metrics::CallSeconds())
      .Observe(took);
  const std::initializer_list<LogField> fields = {{"webhook", trace.webhook},
                                                  {"provider", trace.provider},
                                                  {"event", trace.event},
                                                  {"delivery", trace.delivery},
                                                  {"remote", trace.remote},
                                                  {"status", status},
                                                  {"outcome", absl::StripTrailingAsciiWhitespace(outcome)},
                                                  {"seconds", took},
                                                  {"cause", trace.failure}};
  if (status >= 500) {
    logger_.Warning("delivery not taken", fields);
  } else {
    logger_.Info("delivery", fields);
  }
}

}  // namespace davit::webhook_gateway
