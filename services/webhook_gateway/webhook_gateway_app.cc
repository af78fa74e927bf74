// Implements webhook_gateway_app.h.
#include "services/webhook_gateway/webhook_gateway_app.h"

#include <algorithm>

#include "libs/http/server.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/webhook_gateway/batching_ledger.h"
#include "services/webhook_gateway/delivery_handler.h"
#include "services/webhook_gateway/grpc_backends.h"
#include "services/webhook_gateway/webhook_cache.h"

namespace davit::webhook_gateway {
namespace {

constexpr int kMaxRequests = 1024;               // under way; their bodies have a bound of their own
constexpr size_t kMaxLimitedWebhooks = 100'000;  // some 20 MB

}  // namespace

class WebhookGatewayApp::Impl {
 public:
  Impl(WebhookGatewayOptions options, Clock& clock, RandomSource& random, Logger logger, metrics::Registry& metrics,
       std::shared_ptr<grpc::Channel> token_registry, IngestCall ingest)
      : options_(std::move(options)),
        clock_(clock),
        source_(MakeGrpcWebhookSource(std::move(token_registry), options_.webhook_timeout)),
        ledger_(MakeBatchingLedger(std::move(ingest), options_.ingest_timeout, clock, random)),
        webhooks_(*source_, clock, {}),
        limiter_(options_.rate_limit, kMaxLimitedWebhooks, clock),
        handler_(webhooks_, limiter_, *ledger_, clock, std::move(logger), metrics, options_.handler_threads) {}

  absl::Status Start() {
    http::ServerOptions options;
    options.listen = options_.listen;
    options.body_limit = kMaxBodyBytes;
    options.max_waiting_requests = kMaxRequests;
    options.render_error = &RenderError;
    DAVIT_ASSIGN_OR_RETURN(server_, http::Server::Start(std::move(options), [this](const http::ServerRequest& request,
                                                                                   http::Responder respond) {
                             handler_.Handle(request, std::move(respond));
                           }));
    return absl::OkStatus();
  }

  uint16_t port() const { return server_ == nullptr ? 0 : server_->port(); }

  void Drain(absl::Time deadline) {
    if (server_ != nullptr) server_->Drain(std::max(deadline - clock_.Now(), absl::ZeroDuration()));
  }

 private:
  const WebhookGatewayOptions options_;
  Clock& clock_;
  const std::unique_ptr<WebhookSource> source_;
  const std::unique_ptr<EventLedger> ledger_;
  WebhookCache webhooks_;
  RateLimiter limiter_;
  DeliveryHandler handler_;
  std::unique_ptr<http::Server> server_;  // last: it calls the handler
};

WebhookGatewayApp::WebhookGatewayApp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WebhookGatewayApp::~WebhookGatewayApp() = default;

absl::StatusOr<std::unique_ptr<WebhookGatewayApp>> WebhookGatewayApp::Create(
    WebhookGatewayOptions options, Clock& clock, RandomSource& random, Logger logger, metrics::Registry& metrics,
    std::shared_ptr<grpc::Channel> token_registry, IngestCall ingest) {
  if (token_registry == nullptr || ingest == nullptr) {
    return absl::InvalidArgumentError("the webhook gateway needs the token-registry and the rule-engine");
  }
  DAVIT_RETURN_IF_ERROR(Annotate(CheckRate(options.rate_limit.per_second), "webhook_rate"));
  DAVIT_RETURN_IF_ERROR(Annotate(CheckBurst(options.rate_limit.burst), "webhook_burst"));
  return std::unique_ptr<WebhookGatewayApp>(new WebhookGatewayApp(std::make_unique<Impl>(
      std::move(options), clock, random, std::move(logger), metrics, std::move(token_registry), std::move(ingest))));
}

absl::Status WebhookGatewayApp::Start() { return impl_->Start(); }

uint16_t WebhookGatewayApp::port() const { return impl_->port(); }

void WebhookGatewayApp::Drain(absl::Time deadline) { impl_->Drain(deadline); }

}  // namespace davit::webhook_gateway
