// Implements console_app.h.
#include "services/console/console_app.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/http/server.h"
#include "libs/status/status_macros.h"
#include "services/console/api_error.h"
#include "services/console/console_handler.h"

namespace davit::console {
namespace {

bool IsLoopback(const std::string& listen) {
  return absl::StartsWith(listen, "127.") || absl::StartsWith(listen, "localhost:") ||
         absl::StartsWith(listen, "[::1]:");
}

}  // namespace

class ConsoleApp::Impl {
 public:
  Impl(ConsoleOptions options, Clock& clock, RandomSource& random, Logger logger, metrics::Registry& metrics,
       const Backends& backends)
      : options_(std::move(options)),
        clock_(clock),
        logger_(std::move(logger)),
        metrics_(metrics),
        sessions_(limits_, clock, random),
        codes_(options_.sign_in_codes_file, clock, random),
        caller_(backends),
        web_app_(EmbeddedWebApp()),
        hub_(caller_, methods_, clock),
        streams_(backends.scheduler),
        uploads_(backends.scheduler, std::max(options_.handler_threads / 4, 1)) {}

  ~Impl() {
    Drain(absl::InfinitePast());
    hub_.Stop();
  }

  // The handler needs the port, which is known once the socket is bound; what comes before it is there gets 503.
  absl::Status Start() {
    if (WebAppIsMissing()) {
      logger_.Warning("this program was built without the web app: run services/console/build_app.sh and build again");
    }
    http::ServerOptions server;
    server.listen = options_.listen;
    server.max_streams = options_.max_streams;
    server.max_connections = options_.max_streams + 1024;
    server.handler_threads = options_.handler_threads;
    server.plan = [this](const http::ServerRequest& head) {
      const ConsoleHandler* handler = serving_.load();
      return handler == nullptr ? http::RequestPlan{.refusal = NotYet()} : handler->Plan(head);
    };
    server.render_error = [this](int status, absl::string_view message) {
      const ConsoleHandler* handler = serving_.load();
      http::ServerResponse response = RenderServerError(status, message);
      return handler == nullptr ? response : handler->Secure(std::move(response));
    };
    DAVIT_ASSIGN_OR_RETURN(server_, http::Server::Start(std::move(server), [this](const http::ServerRequest& request) {
                             ConsoleHandler* handler = serving_.load();
                             return handler == nullptr ? NotYet() : handler->Handle(request);
                           }));
    std::string url = options_.public_url;
    if (url.empty()) {
      url = absl::StrCat("http://", options_.listen.substr(0, options_.listen.rfind(':')), ":", server_->port());
    }
    DAVIT_ASSIGN_OR_RETURN(guard_, RequestGuard::Create(url, sessions_));
    handler_ = std::make_unique<ConsoleHandler>(
        ConsoleParts{*guard_, sessions_, codes_, methods_, caller_, streams_, hub_, uploads_, web_app_, metrics_,
                     limits_.lifetime, options_.max_upload_bytes},
        logger_);
    hub_.Start();
    serving_ = handler_.get();
    return absl::OkStatus();
  }

  uint16_t port() const { return server_ == nullptr ? 0 : server_->port(); }

  std::string public_url() const { return guard_ == nullptr ? "" : guard_->origin(); }

  absl::StatusOr<std::string> NewSignInLink(const crypto::SecretString& token) {
    DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString code, codes_.Add(token));
    return absl::StrCat(public_url(), "/sign-in#code=", code.Reveal());
  }

  void Drain(absl::Time deadline) {
    sessions_.EndAll();
    if (server_ != nullptr) server_->Drain(std::max(deadline - clock_.Now(), absl::ZeroDuration()));
  }

 private:
  static http::ServerResponse NotYet() { return RenderServerError(503, "the console is starting"); }

  const ConsoleOptions options_;
  const SessionLimits limits_;
  Clock& clock_;
  const Logger logger_;
  metrics::Registry& metrics_;
  const ApiMethods methods_;
  SessionStore sessions_;
  SignInCodes codes_;
  UnaryCaller caller_;
  const WebApp web_app_;
  BuildListHub hub_;
  BuildStreams streams_;
  UploadCall uploads_;
  std::unique_ptr<RequestGuard> guard_;
  std::unique_ptr<ConsoleHandler> handler_;
  std::atomic<ConsoleHandler*> serving_ = nullptr;
  std::unique_ptr<http::Server> server_;  // last: it calls the handler
};

ConsoleApp::ConsoleApp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ConsoleApp::~ConsoleApp() = default;

absl::Status ConsoleApp::CheckPublicUrl(const ConsoleOptions& options) {
  if (!options.public_url.empty()) return RequestGuard::Check(options.public_url);
  if (IsLoopback(options.listen)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "public_url: required unless --listen is a loopback address: browsers' requests are checked against it");
}

absl::StatusOr<std::unique_ptr<ConsoleApp>> ConsoleApp::Create(ConsoleOptions options, Clock& clock,
                                                               RandomSource& random, Logger logger,
                                                               metrics::Registry& metrics,
                                                               std::shared_ptr<grpc::Channel> token_registry,
                                                               std::shared_ptr<grpc::Channel> rule_engine,
                                                               std::shared_ptr<grpc::Channel> scheduler) {
  if (token_registry == nullptr || rule_engine == nullptr || scheduler == nullptr) {
    return absl::InvalidArgumentError("the console needs channels to the token-registry, rule-engine and scheduler");
  }
  DAVIT_RETURN_IF_ERROR(CheckPublicUrl(options));
  return std::unique_ptr<ConsoleApp>(new ConsoleApp(
      std::make_unique<Impl>(std::move(options), clock, random, std::move(logger), metrics,
                             Backends{std::move(token_registry), std::move(rule_engine), std::move(scheduler)})));
}

absl::Status ConsoleApp::Start() { return impl_->Start(); }

uint16_t ConsoleApp::port() const { return impl_->port(); }

std::string ConsoleApp::public_url() const { return impl_->public_url(); }

absl::StatusOr<std::string> ConsoleApp::NewSignInLink(const crypto::SecretString& token) {
  return impl_->NewSignInLink(token);
}

void ConsoleApp::Drain(absl::Time deadline) { impl_->Drain(deadline); }

}  // namespace davit::console
