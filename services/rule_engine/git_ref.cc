// Parsing of full refs by the rules of `git check-ref-format`. Owns nothing; stateless.
#include "services/rule_engine/git_ref.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxRefBytes = 1024;
constexpr size_t kCommitIdDigits = 40;

absl::Status Invalid(absl::string_view full, absl::string_view why) {
  const absl::string_view shown = full.substr(0, 100);
  return absl::InvalidArgumentError(
      absl::StrCat("invalid ref: ", why, " in \"", shown, "\"; expected refs/heads/BRANCH or refs/tags/TAG"));
}

bool IsForbidden(char c) {
  return absl::ascii_iscntrl(static_cast<unsigned char>(c)) || absl::StrContains(" ~^:?*[\\", absl::string_view(&c, 1));
}

}  // namespace

absl::StatusOr<GitRef> GitRef::Parse(absl::string_view full) {
  if (full.size() > kMaxRefBytes) return Invalid(full, absl::StrCat("more than ", kMaxRefBytes, " bytes"));
  GitRef ref;
  ref.full = std::string(full);
  absl::string_view name = full;
  if (absl::ConsumePrefix(&name, "refs/heads/")) {
    ref.kind = Kind::kBranch;
  } else if (absl::ConsumePrefix(&name, "refs/tags/")) {
    ref.kind = Kind::kTag;
  } else {
    return Invalid(full, "neither a branch nor a tag");
  }
  if (std::any_of(name.begin(), name.end(), IsForbidden)) return Invalid(full, "a character that git forbids");
  if (absl::StrContains(name, "..")) return Invalid(full, "\"..\"");
  if (absl::StrContains(name, "@{")) return Invalid(full, "\"@{\"");
  if (absl::EndsWith(name, ".")) return Invalid(full, "a trailing '.'");
  for (const absl::string_view component : absl::StrSplit(name, '/')) {
    if (component.empty()) return Invalid(full, "an empty component");
    if (component[0] == '.') return Invalid(full, "a component that begins with '.'");
    if (component[0] == '-') return Invalid(full, "a component that begins with '-'");
    if (absl::EndsWith(component, ".lock")) return Invalid(full, "a component that ends in \".lock\"");
  }
  ref.name = std::string(name);
  return ref;
}

bool IsCommitId(absl::string_view text) {
  return text.size() == kCommitIdDigits && !IsZeroCommitId(text) &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZeroCommitId(absl::string_view text) {
  return text.size() == kCommitIdDigits && std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

}  // namespace davit::rule_engine
