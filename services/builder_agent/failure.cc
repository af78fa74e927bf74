// Says why a build failed and whose fault it is. The patterns are those of BuildKit's messages from 2020 (inside
// Docker 20.10) to 2025.
#include "services/builder_agent/failure.h"

#include <re2/re2.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace davit::builder_agent {
namespace {

using scheduler::v1::Failure;

Failure Make(scheduler::v1::FailureClass failure_class, std::string message) {
  Failure failure;
  failure.set_failure_class(failure_class);
  failure.set_message(std::move(message));
  return failure;
}

Failure User(std::string message) { return Make(scheduler::v1::FAILURE_CLASS_USER, std::move(message)); }
Failure Infrastructure(std::string message) {
  return Make(scheduler::v1::FAILURE_CLASS_INFRASTRUCTURE, std::move(message));
}

// What the machine or the network did, not the build.
bool IsInfrastructure(absl::string_view text) {
  for (const char* sign : {"no space left on device",
                           "connection refused",
                           "connection reset",
                           "i/o timeout",
                           "no such host",
                           "TLS handshake timeout",
                           "network is unreachable",
                           "no route to host",
                           "server misbehaving",
                           "temporary failure in name resolution",
                           "cannot allocate memory",
                           "input/output error",
                           "unexpected status code 5",
                           "unexpected EOF",
                           "no active session",
                           "transport is closing",
                           "context deadline exceeded",
                           "context canceled",
                           "too many requests",
                           "429 Too Many"}) {
    if (absl::StrContains(text, sign)) return true;
  }
  return false;
}

// BuildKit's text without the words that say where inside BuildKit it was found.
std::string Plain(std::string text) {
  for (const char* lead :
       {"failed to solve with frontend dockerfile.v0: ", "failed to solve: ", "failed to create LLB definition: ",
        "failed to build LLB: ", "rpc error: code = Unknown desc = ", "failed to compute cache key: ",
        "failed to load cache key: "}) {
    text = absl::StrReplaceAll(text, {{lead, ""}});
  }
  return text;
}

// "3" of "[build 3/4] RUN make".
std::string StepNumber(const std::string& name) {
  static const RE2& pattern = *new RE2(R"(^\[(?:[^\]]* )?(\d+)/\d+\])");
  std::string number;
  RE2::PartialMatch(name, pattern, &number);
  return number;
}

// The step as the log shows it, on one line of bearable length.
std::string Shown(const std::string& name) {
  std::string shown = absl::StrReplaceAll(name, {{"\r", ""}, {"\n", " "}});
  if (shown.size() > 200) shown = absl::StrCat(shown.substr(0, 200), "…");
  return shown;
}

// The image that a step was about, or nothing.
std::string ImageOf(const std::string& name) {
  static const RE2& metadata = *new RE2(R"(load metadata for (\S+))");
  static const RE2& from = *new RE2(R"((?:^|\] )FROM (\S+))");
  std::string image;
  if (!RE2::PartialMatch(name, metadata, &image)) RE2::PartialMatch(name, from, &image);
  return image;
}

std::optional<Failure> ImageFailure(const std::string& image, const std::string& text) {
  if (image.empty()) return std::nullopt;
  if (IsInfrastructure(text))
    return Infrastructure(absl::StrCat("cannot reach the registry of image ", image, ": ", Plain(text)));
  for (const char* sign : {"not found", "manifest unknown", "does not exist", "name unknown", "pull access denied",
                           "no match for platform"}) {
    if (absl::StrContains(text, sign)) return User(absl::StrCat("image not found: ", image));
  }
  for (const char* sign : {"401", "403", "nauthorized", "authorization failed", "denied"}) {
    if (absl::StrContains(text, sign)) {
      return User(absl::StrCat("image not accessible: ", image,
                               ": its registry asks for a credential that this build does not have"));
    }
  }
  return std::nullopt;
}

std::optional<Failure> DockerfileFailure(const std::string& text) {
  static const RE2& unknown = *new RE2(R"(dockerfile parse error (?:on )?line (\d+): unknown instruction: (\S+))");
  static const RE2& other = *new RE2(R"(dockerfile parse error (?:on )?line (\d+): (.*))");
  std::string line;
  std::string rest;
  if (RE2::PartialMatch(text, unknown, &line, &rest))
    return User(absl::StrCat("line ", line, ": unknown instruction ", rest));
  if (RE2::PartialMatch(text, other, &line, &rest)) return User(absl::StrCat("line ", line, ": ", rest));
  return std::nullopt;
}

std::optional<Failure> ExitFailure(const FailedStep& step) {
  static const RE2& pattern = *new RE2(R"(exit code: (\d+))");
  std::string code;
  if (!RE2::PartialMatch(step.error, pattern, &code)) return std::nullopt;
  const std::string number = StepNumber(step.name);
  const std::string hint = code == "137" ? "; it was killed, perhaps for want of memory" : "";
  if (number.empty()) return User(absl::StrCat("step exited ", code, ": ", Shown(step.name), hint));
  return User(absl::StrCat("step ", number, " exited ", code, ": ", Shown(step.name), hint));
}

}  // namespace

Failure FailureOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return User(std::string(status.message()));
    default:
      return Infrastructure(std::string(status.message()));
  }
}

Failure BuildFailure(const absl::Status& status, const std::optional<FailedStep>& step) {
  if (status.code() != absl::StatusCode::kFailedPrecondition) return FailureOf(status);
  const std::string text(status.message());
  if (const auto failure = DockerfileFailure(text); failure.has_value()) return *failure;
  if (step.has_value()) {
    if (const auto failure = ExitFailure(*step); failure.has_value()) return *failure;
    if (const auto failure = ImageFailure(ImageOf(step->name), step->error); failure.has_value()) {
      return *failure;
    }
  }
  if (IsInfrastructure(text)) return Infrastructure(Plain(text));
  const std::string number = step.has_value() ? StepNumber(step->name) : "";
  if (number.empty()) return User(Plain(text));
  return User(absl::StrCat("step ", number, " failed: ", Plain(text), ": ", Shown(step->name)));
}

Failure TimeoutFailure(absl::Duration limit) {
  return User(absl::StrCat("timed out after ", absl::FormatDuration(limit)));
}

}  // namespace davit::builder_agent
