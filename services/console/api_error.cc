// Implements api_error.h.
#include "services/console/api_error.h"

#include <re2/re2.h>

#include <nlohmann/json.hpp>

namespace davit::console {
namespace {

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

absl::Status ServerError(int status, absl::string_view message) {
  switch (status) {
    case 413:
    case 431:
      return absl::ResourceExhaustedError(message);
    case 503:
      return absl::UnavailableError(message);
    case 500:
      return absl::InternalError(message);
    default:
      return absl::InvalidArgumentError(message);
  }
}

}  // namespace

std::string ErrorJson(const absl::Status& error) {
  static const RE2& field_path =
      *new RE2(R"((?s)([a-z][a-z0-9_]*(?:\[[^\]]*\])?(?:\.[a-z][a-z0-9_]*(?:\[[^\]]*\])?)*): (.+))");
  nlohmann::json body = {{"code", absl::StatusCodeToString(error.code())}};
  std::string field, message(error.message());
  if (error.code() == absl::StatusCode::kInvalidArgument) {
    std::string rest;
    if (RE2::FullMatch(message, field_path, &field, &rest)) {
      body["field"] = field;
      message = rest;
    }
  }
  body["message"] = message;
  return nlohmann::json{{"error", body}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

http::ServerResponse ErrorResponse(const absl::Status& error) { return ErrorResponse(error, HttpStatus(error.code())); }

http::ServerResponse ErrorResponse(const absl::Status& error, int status) {
  return {status, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, ErrorJson(error)};
}

http::ServerResponse RenderServerError(int status, absl::string_view message) {
  return ErrorResponse(ServerError(status, message), status);
}

}  // namespace davit::console
