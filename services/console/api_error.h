// Errors as the page gets them: an HTTP status and {"error":{"code","field","message"}}. Pure functions; any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/http/server.h"

namespace davit::console {

// The body's text for an error that is not OK. `field` is what stands before the first ": " of an INVALID_ARGUMENT
// message that begins with a field's path; the message then goes on after it.
std::string ErrorJson(const absl::Status& error);

// The whole answer for an error that is not OK.
http::ServerResponse ErrorResponse(const absl::Status& error);

// The same with another HTTP status than the code's own, for what HTTP has a better one for.
http::ServerResponse ErrorResponse(const absl::Status& error, int status);

// An http::ErrorRenderer: errors that the HTTP server finds itself.
http::ServerResponse RenderServerError(int status, absl::string_view message);

}  // namespace davit::console
