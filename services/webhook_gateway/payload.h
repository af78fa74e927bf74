// The raw body of a delivery → JSON, with bounds on what a hostile sender can make us do. Pure functions; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::webhook_gateway {

// Parses a JSON text. INVALID_ARGUMENT: `nesting over 64`, `over 1000000 values`, or `invalid JSON at byte N` (N counts
// from 1 and is where parsing gave up).
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view body);

// The JSON text inside a delivery's body: the body itself, or, for the content type application/x-www-form-urlencoded
// (a choice in GitHub's settings), its field `payload`. INVALID_ARGUMENT: `form has no payload`.
absl::StatusOr<std::string> JsonText(absl::string_view content_type, absl::string_view body);

}  // namespace davit::webhook_gateway
