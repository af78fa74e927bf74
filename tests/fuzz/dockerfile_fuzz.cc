// Fuzzes the reading of Dockerfiles and of ignore files. The input is read as both.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "libs/dockerfile/parse.h"
#include "libs/dockerfile/pattern.h"
#include "tests/fuzz/check.h"

namespace davit::dockerfile {
namespace {

void TryDockerfile(absl::string_view text) {
  const absl::StatusOr<Dockerfile> parsed = Parse(text);
  if (!parsed.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(parsed.status()));
    return;
  }
  FUZZ_CHECK(!parsed->instructions.empty());
  for (const Instruction& instruction : parsed->instructions) {
    FUZZ_CHECK(instruction.line >= 1 && instruction.end_line >= instruction.line);
  }
  for (const Stage& stage : parsed->stages) {
    for (const size_t index : stage.instructions) FUZZ_CHECK(index < parsed->instructions.size());
  }
  const std::map<std::string, std::string> arguments = {{"VERSION", "1"}, {"TARGETARCH", "amd64"}};
  static_cast<void>(BaseImages(*parsed, arguments).ok());
  static_cast<void>(ExpandFrom(*parsed, text.substr(0, 200), arguments).ok());
  static_cast<void>(parsed->DeclaresArgument("VERSION"));
}

void TryIgnoreFile(absl::string_view text) {
  const std::vector<std::string> patterns = ReadIgnoreFile(text.substr(0, 2000));
  const absl::StatusOr<PatternMatcher> matcher = PatternMatcher::Create(patterns);
  if (!matcher.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(matcher.status()));
    return;
  }
  // A walk and a single question give the same verdict, but for patterns that take back (see MatchChild).
  const PatternMatcher::Verdict top = matcher->MatchChild("src", {});
  const PatternMatcher::Verdict below = matcher->MatchChild("src/main.c", top);
  FUZZ_CHECK(top.matched == matcher->Matches("src"));
  const bool takes_back = std::any_of(patterns.begin(), patterns.end(), [](const std::string& pattern) {
    return absl::StripAsciiWhitespace(pattern).substr(0, 1) == "!";
  });
  if (!takes_back) FUZZ_CHECK(below.matched == matcher->Matches("src/main.c"));
  // What is left out with everything below it is left out below.
  if (top.matched && !matcher->MayTakeBackBelow("src")) FUZZ_CHECK(below.matched);
  if (!top.matched && !matcher->MayMatchBelow("src")) FUZZ_CHECK(!below.matched);
}

}  // namespace
}  // namespace davit::dockerfile

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  davit::dockerfile::TryDockerfile(text);
  davit::dockerfile::TryIgnoreFile(text);
  return 0;
}
