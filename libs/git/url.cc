// Implements url.h.
#include "libs/git/url.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/git/object_id.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

// Longest ref name and path that are accepted, in bytes.
constexpr size_t kMaxNameBytes = 1024;
constexpr size_t kMaxPathBytes = 4096;

absl::Status InvalidRef(absl::string_view ref, absl::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat("invalid ref: \"", absl::CHexEscape(ref.substr(0, 200)), "\" ", reason));
}

// The part of a ref that a person chose: the name of the branch or tag.
absl::string_view ChosenName(absl::string_view ref) {
  for (const absl::string_view prefix : {"refs/heads/", "refs/tags/", "refs/"}) {
    if (absl::ConsumePrefix(&ref, prefix)) break;
  }
  return ref;
}

bool IsForbiddenInRef(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x21 || byte == 0x7f || absl::StrContains("~^:?*[\\", absl::string_view(&c, 1));
}

}  // namespace

absl::StatusOr<RepositoryUrl> RepositoryUrl::Parse(absl::string_view text, const http::AddressPolicy& policy) {
  if (!absl::StartsWithIgnoreCase(text, "https://") && !absl::StartsWithIgnoreCase(text, "http://")) {
    return absl::InvalidArgumentError("scheme not allowed: a repository URL has the form https://host/path");
  }
  DAVIT_ASSIGN_OR_RETURN(const http::Url url, http::Url::Parse(text));
  DAVIT_RETURN_IF_ERROR(policy.CheckUrl(url));
  if (!url.query.empty() || absl::StrContains(text, '#')) {
    return absl::InvalidArgumentError(absl::StrCat("invalid repository URL: ", url.Redacted(),
                                                   " must not have a query or a fragment; give https://host/path"));
  }
  absl::string_view path = url.path;
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  RepositoryUrl result;
  result.text_ = absl::StrCat(url.Origin(), path);
  result.authority_ = url.Authority();
  absl::ConsumePrefix(&path, "/");
  absl::ConsumeSuffix(&path, ".git");
  if (path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("invalid repository URL: ", url.Redacted(), " names no repository; give https://host/path"));
  }
  result.repository_path_ = std::string(path);
  return result;
}

absl::Status CheckRefName(absl::string_view ref) {
  if (ref.empty()) return InvalidRef(ref, "is empty");
  if (ref.size() > kMaxNameBytes) return InvalidRef(ref, "is over 1024 bytes");
  if (absl::StartsWith(ChosenName(ref), "-")) return InvalidRef(ref, "starts with a dash");
  if (ref == "@" || absl::StrContains(ref, "@{")) return InvalidRef(ref, "holds \"@\" or \"@{\"");
  if (absl::StrContains(ref, "..")) return InvalidRef(ref, "holds \"..\"");
  if (absl::EndsWith(ref, ".")) return InvalidRef(ref, "ends with a dot");
  if (std::any_of(ref.begin(), ref.end(), IsForbiddenInRef)) {
    return InvalidRef(ref, "holds a space, a control character or one of ~^:?*[\\");
  }
  for (const absl::string_view component : absl::StrSplit(ref, '/')) {
    if (component.empty()) return InvalidRef(ref, "has an empty component");
    if (absl::StartsWith(component, ".")) return InvalidRef(ref, "has a component that starts with a dot");
    if (absl::EndsWith(component, ".lock")) return InvalidRef(ref, "has a component that ends with .lock");
  }
  return absl::OkStatus();
}

absl::Status CheckRevision(absl::string_view revision) { return CheckRefName(revision); }

absl::StatusOr<std::string> CleanRepositoryPath(absl::string_view path) {
  if (absl::StartsWith(path, "/")) {
    return absl::InvalidArgumentError(
        "path leaves the repository: give it relative to the repository's root, without a leading slash");
  }
  if (path.size() > kMaxPathBytes) return absl::InvalidArgumentError("invalid path: it is over 4096 bytes");
  std::vector<absl::string_view> components;
  for (const absl::string_view component : absl::StrSplit(path, '/')) {
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      if (components.empty()) {
        return absl::InvalidArgumentError("path leaves the repository: \"..\" climbs above its root");
      }
      components.pop_back();
      continue;
    }
    if (absl::EqualsIgnoreCase(component, ".git")) {
      return absl::InvalidArgumentError("invalid path: a commit holds no .git");
    }
    const bool odd = std::any_of(component.begin(), component.end(), [](char c) {
      return c == '\\' || absl::ascii_iscntrl(static_cast<unsigned char>(c));
    });
    if (odd) {
      return absl::InvalidArgumentError(
          absl::StrCat("invalid path: \"", absl::CHexEscape(component), "\" holds a backslash or a control character"));
    }
    components.push_back(component);
  }
  return absl::StrJoin(components, "/");
}

}  // namespace davit::git
