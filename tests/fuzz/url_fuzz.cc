// Fuzzes the addresses that users give: URLs, repositories, paths, refs, image references. The input's first line is
// one of them, the rest what it redirects to.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/git/url.h"
#include "libs/http/address_policy.h"
#include "libs/http/url.h"
#include "libs/oci/reference.h"
#include "tests/fuzz/check.h"

namespace {

void TryUrl(absl::string_view text, absl::string_view location) {
  const davit::http::AddressPolicy policy;
  const absl::StatusOr<davit::http::Url> url = davit::http::Url::Parse(text);
  if (!url.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(url.status()));
    return;
  }
  FUZZ_CHECK(url->scheme == "http" || url->scheme == "https");
  const absl::StatusOr<davit::http::Url> again = davit::http::Url::Parse(url->ToString());
  FUZZ_CHECK(again.ok() && *again == *url);
  if (policy.CheckUrl(*url).ok()) FUZZ_CHECK(url->scheme == "https");
  const absl::StatusOr<davit::http::Url> target = url->Resolve(location);
  if (target.ok()) {
    FUZZ_CHECK(davit::http::Url::Parse(target->ToString()).ok());
    FUZZ_CHECK(target->scheme == "http" || target->scheme == "https");
  }
}

void TryRepository(absl::string_view text) {
  const davit::http::AddressPolicy policy;
  const absl::StatusOr<davit::git::RepositoryUrl> repository = davit::git::RepositoryUrl::Parse(text, policy);
  if (repository.ok()) {
    FUZZ_CHECK(absl::StartsWith(repository->text(), "https://"));
    FUZZ_CHECK(davit::git::RepositoryUrl::Parse(repository->text(), policy).ok());
  }
  if (davit::git::CheckRefName(text).ok()) FUZZ_CHECK(!absl::StartsWith(text, "-"));
  static_cast<void>(davit::git::CheckRevision(text).ok());
  const absl::StatusOr<std::string> path = davit::git::CleanRepositoryPath(text);
  if (!path.ok()) return;
  FUZZ_CHECK(!absl::StartsWith(*path, "/"));
  FUZZ_CHECK(!absl::StrContains(absl::StrCat("/", *path, "/"), "/../"));
  FUZZ_CHECK(*davit::git::CleanRepositoryPath(*path) == *path);
}

void TryImage(absl::string_view text) {
  const absl::StatusOr<davit::oci::Reference> reference = davit::oci::Reference::Parse(text);
  if (!reference.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(reference.status()));
    return;
  }
  const absl::StatusOr<davit::oci::Reference> again = davit::oci::Reference::Parse(reference->ToString());
  FUZZ_CHECK(again.ok() && *again == *reference);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const std::pair<absl::string_view, absl::string_view> lines = absl::StrSplit(input, absl::MaxSplits('\n', 1));
  TryUrl(lines.first, lines.second);
  TryRepository(lines.first);
  TryImage(lines.first);
  return 0;
}
