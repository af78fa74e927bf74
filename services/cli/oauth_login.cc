// Implements oauth_login.h.
#include "services/cli/oauth_login.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/crypto/hash.h"
#include "libs/http/query.h"
#include "libs/http/server.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::registry::v1;
using Registry = v1::TokenRegistry::Stub;

constexpr char kCallbackPath[] = "/davit/callback";

absl::Duration ToDuration(const google::protobuf::Duration& message) {
  return absl::Seconds(message.seconds()) + absl::Nanoseconds(message.nanos());
}

absl::Time ToTime(const google::protobuf::Timestamp& message) { return absl::FromUnixSeconds(message.seconds()); }

absl::Status TooLate() {
  return absl::DeadlineExceededError("nobody authorized the connection in time; run the command again");
}

// Where the browser comes back to. Its handler runs on the server's threads.
class Callback {
 public:
  // Listens on a free port of the loopback interface.
  absl::Status Listen() {
    http::ServerOptions options;
    options.handler_threads = 1;
    absl::StatusOr<std::unique_ptr<http::Server>> server =
        http::Server::Start(options, [this](const http::ServerRequest& request) { return Answer(request); });
    if (!server.ok()) return Annotate(server.status(), "Failed to listen for the browser");
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  std::string redirect_uri() const { return absl::StrCat("http://127.0.0.1:", server_->port(), kCallbackPath); }

  // Accepts only what comes back with this state.
  void Expect(const std::string& state) {
    absl::MutexLock lock(&mutex_);
    state_ = state;
  }

  // The code; the provider's refusal as FAILED_PRECONDITION.
  absl::StatusOr<std::string> Wait(absl::Duration patience) {
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithTimeout(absl::Condition(&answered_), patience)) return TooLate();
    if (!error_.empty()) return absl::FailedPreconditionError(absl::StrCat("not authorized: ", error_));
    return code_;
  }

 private:
  http::ServerResponse Answer(const http::ServerRequest& request) {
    const http::Headers plain = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
    const http::Query parameters(request.query);
    absl::MutexLock lock(&mutex_);
    if (request.path != kCallbackPath || state_.empty() ||
        !crypto::ConstantTimeEquals(parameters.Get("state"), state_)) {
      return {404, plain, "This is not the answer that davit waits for.\n"};
    }
    error_ = parameters.Get("error");
    code_ = parameters.Get("code");
    if (code_.empty() && error_.empty()) return {400, plain, "The code is missing.\n"};
    answered_ = true;
    return {200, plain, "Davit has the answer; you may close this page and go back to the terminal.\n"};
  }

  absl::Mutex mutex_;
  std::string state_ ABSL_GUARDED_BY(mutex_);
  std::string code_ ABSL_GUARDED_BY(mutex_);
  std::string error_ ABSL_GUARDED_BY(mutex_);
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<http::Server> server_;  // Last: its threads end before the rest.
};

absl::StatusOr<v1::Connection> ByBrowser(Session& session, v1::BeginOAuthRequest request) {
  Callback callback;
  DAVIT_RETURN_IF_ERROR(callback.Listen());
  request.set_flow(v1::AUTHORIZATION_FLOW_BROWSER);
  request.set_redirect_uri(callback.redirect_uri());
  const auto stub = v1::TokenRegistry::NewStub(session.channel(Api::kTokenRegistry));
  DAVIT_ASSIGN_OR_RETURN(const v1::BeginOAuthResponse begun, session.Call(*stub, &Registry::BeginOAuth, request));
  callback.Expect(begun.state());
  session.environment().err << "Open this in a browser on this machine:\n  " << begun.authorize_url() << "\n"
                            << std::flush;
  DAVIT_ASSIGN_OR_RETURN(const std::string code,
                         callback.Wait(ToTime(begun.expire_time()) - session.environment().clock.Now()));
  v1::FinishOAuthRequest finish;
  finish.set_project(request.project());
  finish.set_state(begun.state());
  finish.set_code(code);
  DAVIT_ASSIGN_OR_RETURN(const v1::FinishOAuthResponse finished, session.Call(*stub, &Registry::FinishOAuth, finish));
  return finished.connection();
}

absl::StatusOr<v1::Connection> ByDevice(Session& session, v1::BeginOAuthRequest request) {
  request.set_flow(v1::AUTHORIZATION_FLOW_DEVICE);
  const auto stub = v1::TokenRegistry::NewStub(session.channel(Api::kTokenRegistry));
  DAVIT_ASSIGN_OR_RETURN(const v1::BeginOAuthResponse begun, session.Call(*stub, &Registry::BeginOAuth, request));
  session.environment().err << "Open this in a browser:\n  " << begun.authorize_url() << "\nand enter this code:\n  "
                            << begun.user_code() << "\n"
                            << std::flush;
  v1::FinishOAuthRequest finish;
  finish.set_project(request.project());
  finish.set_state(begun.state());
  Clock& clock = session.environment().clock;
  absl::Duration wait = ToDuration(begun.poll_interval());
  while (clock.Now() + wait < ToTime(begun.expire_time())) {
    clock.SleepFor(std::max(wait, absl::Milliseconds(100)));
    const absl::StatusOr<v1::FinishOAuthResponse> finished = session.Call(*stub, &Registry::FinishOAuth, finish);
    if (finished.ok() && finished->has_connection()) return finished->connection();
    // A server that cannot be asked now may be asked later.
    if (!finished.ok() && !absl::IsUnavailable(finished.status())) return finished.status();
    wait = finished.ok() ? ToDuration(finished->retry_after()) : ToDuration(begun.poll_interval());
  }
  return TooLate();
}

}  // namespace

absl::StatusOr<v1::Connection> Authorize(Session& session, v1::BeginOAuthRequest request) {
  request.set_project(session.project());
  return session.arguments().Has("browser") ? ByBrowser(session, std::move(request))
                                            : ByDevice(session, std::move(request));
}

}  // namespace davit::cli
