// The few calls of a Docker engine's HTTP API that pushing needs (docs.docker.com/engine/api: ImagePush, ImageDelete,
// SystemPing).
#include "libs/buildkit/engine.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::buildkit {
namespace {

// A push of layers of many gigabytes; the build's own time limit ends it earlier.
constexpr absl::Duration kPushTimeout = absl::Hours(6);
// One object of the push's answer; a longer one is not what an engine sends.
constexpr size_t kMaxProgressLine = 1 << 20;

std::string AuthHeader(const RegistryAccount* account) {
  nlohmann::json auth = nlohmann::json::object();
  if (account != nullptr) {
    auth["username"] = account->username;
    auth["password"] = std::string(account->password.Reveal());
    auth["serveraddress"] = account->host;
  }
  // The engine decodes URL-safe base64 with padding.
  std::string encoded = absl::WebSafeBase64Escape(auth.dump());
  while (encoded.size() % 4 != 0) encoded += '=';
  return encoded;
}

// The engine's error message, which it wraps in a JSON object.
std::string ErrorText(const std::string& body) {
  const nlohmann::json parsed = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_object() && parsed.contains("message") && parsed["message"].is_string()) return parsed["message"];
  return body.substr(0, 500);
}

absl::Status PushError(const std::string& text) {
  for (const char* sign : {"unauthorized", "no basic auth credentials", "authentication required", "401"}) {
    if (absl::StrContains(text, sign)) return absl::UnauthenticatedError(absl::StrCat("push refused: ", text));
  }
  for (const char* sign : {"denied", "403", "Forbidden"}) {
    if (absl::StrContains(text, sign)) return absl::PermissionDeniedError(absl::StrCat("push refused: ", text));
  }
  return absl::UnavailableError(absl::StrCat("push failed: ", text));
}

}  // namespace

void PushProgress::Feed(absl::string_view data) {
  for (size_t newline = data.find('\n'); newline != absl::string_view::npos; newline = data.find('\n')) {
    absl::StrAppend(&partial_, data.substr(0, newline));
    Read(partial_);
    partial_.clear();
    data.remove_prefix(newline + 1);
  }
  absl::StrAppend(&partial_, data);
  if (partial_.size() > kMaxProgressLine) partial_.clear();
}

void PushProgress::Read(absl::string_view line) {
  const nlohmann::json message = nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) return;
  if (message.contains("aux") && message["aux"].is_object()) digest_ = message["aux"].value("Digest", digest_);
  if (message.contains("errorDetail") && message["errorDetail"].is_object()) {
    error_ = message["errorDetail"].value("message", "no reason given");
  } else if (message.contains("error") && message["error"].is_string()) {
    error_ = message["error"];
  }
}

absl::StatusOr<std::string> PushProgress::Result() const {
  if (!error_.empty()) return PushError(error_);
  if (digest_.empty()) return absl::UnavailableError("push failed: the engine broke off before the image was complete");
  return digest_;
}

Engine::Engine(std::string socket_path) : socket_path_(std::move(socket_path)), client_(http::ClientOptions{}) {}

http::Request Engine::MakeRequest(const char* method, const std::string& path) const {
  http::Request request;
  request.method = method;
  request.url = absl::StrCat("http://docker", path);
  request.unix_socket_path = socket_path_;
  return request;
}

absl::Status Engine::Ping() {
  http::Request request = MakeRequest("GET", "/_ping");
  request.timeout = absl::Seconds(5);
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, client_.Send(request));
  if (response.status == 200) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("Docker engine: /_ping answered ", response.status));
}

absl::StatusOr<std::string> Engine::Push(const std::string& image, const RegistryAccount* account,
                                         const std::atomic<bool>& cancelled) {
  DAVIT_ASSIGN_OR_RETURN(const oci::Reference reference, oci::Reference::Parse(image));
  http::Request request = MakeRequest("POST", absl::StrCat("/images/", reference.Name(), "/push?tag=", reference.tag));
  request.headers.Set("X-Registry-Auth", AuthHeader(account));
  request.timeout = kPushTimeout;
  request.max_response_bytes = int64_t{1} << 30;
  request.cancelled = &cancelled;
  PushProgress progress;
  std::string head;  // Kept for the error message of a refused request.
  absl::StatusOr<http::ResponseHead> response = client_.Send(request, [&](absl::string_view data) {
    if (head.size() < 4096) absl::StrAppend(&head, data.substr(0, 4096));
    progress.Feed(data);
    return absl::OkStatus();
  });
  if (!response.ok()) return Annotate(response.status(), "Failed to push through the Docker engine");
  if (response->status != 200) return PushError(ErrorText(head));
  progress.Feed("\n");
  return progress.Result();
}

absl::Status Engine::Remove(const std::string& image) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         client_.Send(MakeRequest("DELETE", absl::StrCat("/images/", image))));
  if (response.status == 200 || response.status == 404) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("Docker engine: removing ", image, " answered ", response.status, ": ", ErrorText(response.body)));
}

}  // namespace davit::buildkit
