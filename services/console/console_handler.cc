// Implements console_handler.h.
#include "services/console/console_handler.h"

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "davit/registry/v1/identity.pb.h"
#include "libs/auth/caller.h"
#include "libs/http/query.h"
#include "libs/status/status_macros.h"
#include "services/console/api_error.h"
#include "services/console/event_source.h"
#include "services/console/json_codec.h"

namespace davit::console {
namespace {

constexpr absl::string_view kApi = "/api/v1/";
constexpr char kUploads[] = "/api/v1/uploads";
constexpr int64_t kMaxBody = int64_t{1} << 20;  // of a call's JSON
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src "
    "'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

http::ServerResponse Json(std::string body) {
  return {200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, std::move(body)};
}

absl::Status NoSuchAddress() { return absl::NotFoundError("there is no such address in the console's API"); }

absl::Status CheckJson(const http::ServerRequest& request) {
  const std::string type = request.headers.Get("Content-Type").value_or("");
  if (absl::EqualsIgnoreCase(type.substr(0, type.find(';')), "application/json")) return absl::OkStatus();
  return absl::InvalidArgumentError("Content-Type: expected application/json");
}

std::string SessionJson(const Session& session) {
  // The record is JSON already.
  return absl::StrCat("{\"csrf_token\":", nlohmann::json(session.csrf_token()).dump(),
                      ",\"caller\":", session.who().caller_json, "}");
}

// The project that a stream is about: as in the services, empty means the token's own.
std::string ProjectOf(const Session& session, const http::Query& query) {
  const std::string requested = query.Get("project");
  if (!requested.empty()) return requested;
  return session.who().project == auth::kAllProjects ? auth::kDefaultProject : session.who().project;
}

// Where to read a log: where the browser stopped when it reconnects, else where the query says.
absl::StatusOr<LogPosition> PositionOf(const http::ServerRequest& request, const http::Query& query) {
  const std::string last = request.headers.Get("Last-Event-ID").value_or("");
  if (!last.empty()) return ParseLogPosition(last);
  DAVIT_ASSIGN_OR_RETURN(const int64_t attempt, query.GetNumber("attempt"));
  DAVIT_ASSIGN_OR_RETURN(const int64_t offset, query.GetNumber("offset"));
  if (attempt > 1'000'000) return absl::InvalidArgumentError("attempt: there is no such attempt");
  return LogPosition{static_cast<int>(attempt), offset};
}

}  // namespace

ConsoleHandler::ConsoleHandler(ConsoleParts parts, Logger logger) : parts_(parts), logger_(std::move(logger)) {}

http::RequestPlan ConsoleHandler::Plan(const http::ServerRequest& head) const {
  if (head.path != kUploads || head.method != "POST") return {.body_limit = kMaxBody};
  absl::Status allowed = parts_.guard.CheckOrigin(head);
  if (allowed.ok()) allowed = parts_.guard.SessionForChange(head).status();
  http::RequestPlan plan{.body = http::RequestPlan::Body::kStreamed, .body_limit = parts_.max_upload_bytes};
  if (!allowed.ok()) plan.refusal = Secure(ErrorResponse(allowed));
  return plan;
}

http::ServerResponse ConsoleHandler::Secure(http::ServerResponse response) const {
  http::Headers& headers = response.headers;
  headers.Set("Content-Security-Policy", kContentSecurityPolicy);
  headers.Set("X-Content-Type-Options", "nosniff");
  headers.Set("X-Frame-Options", "DENY");
  headers.Set("Referrer-Policy", "no-referrer");
  headers.Set("Cross-Origin-Opener-Policy", "same-origin");
  headers.Set("Cross-Origin-Resource-Policy", "same-origin");
  if (parts_.guard.https()) headers.Set("Strict-Transport-Security", "max-age=31536000");
  return response;
}

http::ServerResponse ConsoleHandler::Handle(const http::ServerRequest& request) {
  http::ServerResponse response = Secure(Route(request));
  parts_.metrics
      .GetCounter("davit_console_requests_total", "Requests answered, by HTTP status",
                  {{"status", absl::StrCat(response.status)}})
      .Increment();
  return response;
}

http::ServerResponse ConsoleHandler::Route(const http::ServerRequest& request) {
  if (request.path == "/healthz") return Json("{\"status\":\"ok\"}");
  if (request.path == "/api" || absl::StartsWith(request.path, "/api/")) {
    if (const absl::Status ours = parts_.guard.CheckOrigin(request); !ours.ok()) return Fail(request, ours);
    absl::string_view path = request.path;
    Answer answer = absl::ConsumePrefix(&path, kApi) ? Api(request, path) : Answer(NoSuchAddress());
    return answer.ok() ? *std::move(answer) : Fail(request, answer.status());
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return ErrorResponse(absl::UnimplementedError("only GET and HEAD are served here"), 405);
  }
  return parts_.web_app.Serve(request);
}

http::ServerResponse ConsoleHandler::Fail(const http::ServerRequest& request, const absl::Status& error) {
  logger_.Info("refused", {{"method", request.method}, {"path", request.path}, {"status", error}});
  http::ServerResponse response = ErrorResponse(error);
  if (error.code() == absl::StatusCode::kUnauthenticated && !RequestGuard::SessionId(request).empty()) {
    // The token is not valid any more, or the session is gone: either way it is of no use.
    parts_.sessions.End(RequestGuard::SessionId(request));
    response.headers.Add("Set-Cookie", parts_.guard.ExpiredCookie());
  }
  return response;
}

ConsoleHandler::Answer ConsoleHandler::Api(const http::ServerRequest& request, absl::string_view path) {
  if (path == "session") {
    if (request.method == "POST") return SignIn(request);
    if (request.method == "GET") return ShowSession(request);
    if (request.method == "DELETE") return SignOut(request);
    return NoSuchAddress();
  }
  if (request.method == "GET" && absl::ConsumePrefix(&path, "builds/")) return Stream(request, path);
  if (request.method != "POST") return NoSuchAddress();
  if (path == "uploads") return Upload(request);
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  return parts.size() == 2 ? Call(request, parts[0], parts[1]) : Answer(NoSuchAddress());
}

absl::StatusOr<SignedIn> ConsoleHandler::IdentifyToken(const crypto::SecretString& token) {
  const ApiMethod& method = *parts_.methods.Find("identity", "GetCaller");
  registry::v1::GetCallerResponse response;
  DAVIT_RETURN_IF_ERROR(parts_.caller.Call(method, token, registry::v1::GetCallerRequest(), response));
  const registry::v1::ApiToken& record = response.api_token();
  if (record.role() < registry::v1::ROLE_VIEWER || record.role() > registry::v1::ROLE_ADMIN) {
    return absl::PermissionDeniedError("this token belongs to a service; sign in with a person's token");
  }
  DAVIT_ASSIGN_OR_RETURN(std::string caller_json, ToJson(record));
  return SignedIn{token, record.id(), record.project(), std::move(caller_json)};
}

ConsoleHandler::Answer ConsoleHandler::SignIn(const http::ServerRequest& request) {
  DAVIT_RETURN_IF_ERROR(CheckJson(request));
  const nlohmann::json body = nlohmann::json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  const auto text = [&body](const char* key) -> std::string {
    if (!body.is_object() || !body.contains(key) || !body[key].is_string()) return "";
    return body[key].get<std::string>();
  };
  crypto::SecretString token(text("token"));
  if (const std::string code = text("code"); !code.empty()) {
    DAVIT_ASSIGN_OR_RETURN(token, parts_.codes.Redeem(code));
  }
  if (token.empty()) return absl::InvalidArgumentError("token: an API token is required");
  for (const char character : token.Reveal()) {
    // Anything else cannot be sent in a header.
    if (character <= ' ' || character > '~') return absl::UnauthenticatedError("token is not valid or was revoked");
  }
  DAVIT_ASSIGN_OR_RETURN(SignedIn who, IdentifyToken(token));
  parts_.sessions.End(RequestGuard::SessionId(request));
  const std::string token_id = who.token_id;
  const SessionStore::Created created = parts_.sessions.Create(std::move(who));
  logger_.Info("signed in", {{"token", token_id}, {"from", request.remote_address}});
  http::ServerResponse response = Json(SessionJson(*created.session));
  response.headers.Add("Set-Cookie", parts_.guard.Cookie(created.id, parts_.session_lifetime));
  return response;
}

ConsoleHandler::Answer ConsoleHandler::ShowSession(const http::ServerRequest& request) {
  const auto session = parts_.guard.CurrentSession(request, SessionStore::Use::kDoesNotTouch);
  if (session.ok()) return Json(SessionJson(**session));
  // That nobody is signed in is an answer, not an error: browsers show errors to people who look at the page's console.
  http::ServerResponse response = Json("{}");
  if (!RequestGuard::SessionId(request).empty()) response.headers.Add("Set-Cookie", parts_.guard.ExpiredCookie());
  return response;
}

ConsoleHandler::Answer ConsoleHandler::SignOut(const http::ServerRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const auto session, parts_.guard.SessionForChange(request));
  parts_.sessions.End(RequestGuard::SessionId(request));
  logger_.Info("signed out", {{"token", session->who().token_id}});
  http::ServerResponse response = Json("{}");
  response.headers.Add("Set-Cookie", parts_.guard.ExpiredCookie());
  return response;
}

ConsoleHandler::Answer ConsoleHandler::Call(const http::ServerRequest& request, absl::string_view service,
                                            absl::string_view name) {
  DAVIT_ASSIGN_OR_RETURN(const auto session, parts_.guard.SessionForChange(request));
  const ApiMethod* method = parts_.methods.Find(service, name);
  if (method == nullptr) return NoSuchAddress();
  DAVIT_RETURN_IF_ERROR(CheckJson(request));
  const std::unique_ptr<google::protobuf::Message> message(method->request->New()), response(method->response->New());
  DAVIT_RETURN_IF_ERROR(ParseJson(request.body, *message));
  DAVIT_RETURN_IF_ERROR(parts_.caller.Call(*method, session->who().token, *message, *response));
  DAVIT_ASSIGN_OR_RETURN(std::string json, ToJson(*response));
  return Json(std::move(json));
}

ConsoleHandler::Answer ConsoleHandler::Upload(const http::ServerRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const auto session, parts_.guard.SessionForChange(request));
  if (request.body_stream == nullptr) return absl::InternalError("the upload was not streamed");
  const http::Query query(request.query);
  DAVIT_ASSIGN_OR_RETURN(std::string json,
                         parts_.uploads.Send(session->who().token, query.Get("project"), query, *request.body_stream));
  return Json(std::move(json));
}

ConsoleHandler::Answer ConsoleHandler::Stream(const http::ServerRequest& request, absl::string_view path) {
  DAVIT_ASSIGN_OR_RETURN(const auto session, parts_.guard.CurrentSession(request, SessionStore::Use::kDoesNotTouch));
  const http::Query query(request.query);
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  const bool of_list = parts.size() == 1 && parts[0] == "events";
  const bool of_build = parts.size() == 2 && parts[1] == "events";
  const bool of_log = parts.size() == 2 && parts[1] == "log";
  if (!of_list && !of_build && !of_log) return NoSuchAddress();
  LogPosition position;
  if (of_log) {
    DAVIT_ASSIGN_OR_RETURN(position, PositionOf(request, query));
  }
  std::shared_ptr<http::BytePipe> pipe = NewEventPipe();
  DAVIT_RETURN_IF_ERROR(session->Attach(pipe));
  const std::string project = ProjectOf(*session, query);
  const crypto::SecretString& token = session->who().token;
  const std::string id = http::PercentDecode(parts[0], http::Plus::kIsPlus);
  if (of_list) {
    parts_.hub.Watch(token, project, pipe);
  } else if (of_build) {
    parts_.streams.WatchBuild(token, project, id, pipe);
  } else {
    const auto follow = query.Get("follow") == "1" ? BuildStreams::Follow::kYes : BuildStreams::Follow::kNo;
    parts_.streams.ReadLog(token, project, id, position, follow, pipe);
  }
  return EventStreamResponse(std::move(pipe));
}

}  // namespace davit::console
