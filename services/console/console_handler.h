// Answers the console's HTTP requests: the web app, sessions, calls, streams and uploads. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/http/server.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/console/api_methods.h"
#include "services/console/build_list_hub.h"
#include "services/console/build_streams.h"
#include "services/console/request_guard.h"
#include "services/console/session_store.h"
#include "services/console/sign_in_codes.h"
#include "services/console/unary_caller.h"
#include "services/console/upload_call.h"
#include "services/console/web_app.h"

namespace davit::console {

// What a ConsoleHandler works with; everything must outlive it.
struct ConsoleParts {
  const RequestGuard& guard;
  SessionStore& sessions;
  SignInCodes& codes;
  const ApiMethods& methods;
  UnaryCaller& caller;
  BuildStreams& streams;
  BuildListHub& hub;
  UploadCall& uploads;
  const WebApp& web_app;
  metrics::Registry& metrics;
  absl::Duration session_lifetime;
  int64_t max_upload_bytes;
};

class ConsoleHandler {
 public:
  ConsoleHandler(ConsoleParts parts, Logger logger);

  // Bounds a request's body by its header. Uploads are streamed, and refused here when they may not be made.
  http::RequestPlan Plan(const http::ServerRequest& head) const;

  // Answers a request. Every answer has the security headers.
  http::ServerResponse Handle(const http::ServerRequest& request);

  // Adds the headers that every answer has, also those that the server makes itself.
  http::ServerResponse Secure(http::ServerResponse response) const;

 private:
  using Answer = absl::StatusOr<http::ServerResponse>;

  http::ServerResponse Route(const http::ServerRequest& request);
  Answer Api(const http::ServerRequest& request, absl::string_view path);
  Answer SignIn(const http::ServerRequest& request);
  Answer ShowSession(const http::ServerRequest& request);
  Answer SignOut(const http::ServerRequest& request);
  Answer Call(const http::ServerRequest& request, absl::string_view service, absl::string_view method);
  Answer Upload(const http::ServerRequest& request);
  // `path` is what follows "builds/".
  Answer Stream(const http::ServerRequest& request, absl::string_view path);
  absl::StatusOr<SignedIn> IdentifyToken(const crypto::SecretString& token);
  http::ServerResponse Fail(const http::ServerRequest& request, const absl::Status& error);

  ConsoleParts parts_;
  const Logger logger_;
};

}  // namespace davit::console
