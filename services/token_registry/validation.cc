// Implements validation.h.
#include "services/token_registry/validation.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/http/url.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"

namespace davit::token_registry {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
}

bool HasControlCharacter(absl::string_view text) {
  for (const char c : text) {
    if (absl::ascii_iscntrl(c)) return true;
  }
  return false;
}

// Characters of UTF-8 text: bytes that do not continue one.
size_t CountCharacters(absl::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

}  // namespace

absl::Status CheckDisplayName(absl::string_view display_name) {
  const size_t length = CountCharacters(display_name);
  if (length < 1 || length > 100) return Invalid("display_name", "must have 1 to 100 characters");
  if (HasControlCharacter(display_name)) return Invalid("display_name", "must not contain control characters");
  return absl::OkStatus();
}

absl::Status CheckUsername(absl::string_view username) {
  if (username.size() > 255) return Invalid("username", "must have at most 255 bytes");
  if (absl::StrContains(username, ':') || HasControlCharacter(username)) {
    return Invalid("username", "must not contain a colon or control characters");
  }
  return absl::OkStatus();
}

absl::Status CheckToken(absl::string_view field, const crypto::SecretString& token, size_t max_bytes) {
  const std::string& text = token.Reveal();
  if (text.empty() || text.size() > max_bytes) {
    return Invalid(field, absl::StrCat("must have 1 to ", max_bytes, " characters"));
  }
  for (const char c : text) {
    if (!absl::ascii_isgraph(c)) return Invalid(field, "must be printable ASCII without spaces or line breaks");
  }
  return absl::OkStatus();
}

absl::Status CheckPassword(const crypto::SecretString& password) {
  const std::string& text = password.Reveal();
  if (text.empty() || text.size() > 16384) return Invalid("password", "must have 1 to 16384 bytes");
  if (HasControlCharacter(text)) return Invalid("password", "must not contain control characters");
  return absl::OkStatus();
}

absl::Status CheckRepositoryPath(absl::string_view field, absl::string_view repository) {
  constexpr char kForm[] = "must be a path below the server such as owner/name, of letters, digits and ._- only";
  if (repository.empty() || repository.size() > 255) return Invalid(field, kForm);
  if (absl::EndsWith(repository, ".git")) return Invalid(field, "must be given without .git, as in owner/name");
  for (const absl::string_view name : absl::StrSplit(repository, '/')) {
    if (name.empty() || name[0] == '.' || name[0] == '-') return Invalid(field, kForm);
    for (const char c : name) {
      if (!absl::ascii_isalnum(c) && c != '.' && c != '_' && c != '-') return Invalid(field, kForm);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> NormalizeBaseUrl(Provider provider, absl::string_view base_url,
                                             const http::AddressPolicy& policy) {
  if (base_url.empty()) {
    if (provider == Provider::kGitHub) return "https://github.com";
    if (provider == Provider::kGitLab) return "https://gitlab.com";
    return Invalid("base_url", "required: the server's URL, for example https://git.example.com");
  }
  const absl::StatusOr<http::Url> url = http::Url::Parse(base_url);
  if (!url.ok()) return Annotate(url.status(), "base_url");
  if (!url->query.empty() || absl::StrContains(base_url, '#')) {
    return Invalid("base_url", "must not have a query or a fragment");
  }
  if (const absl::Status status = policy.CheckUrl(*url); !status.ok()) return Annotate(status, "base_url");
  absl::string_view path = url->path;
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  return absl::StrCat(url->Origin(), path);
}

std::string DefaultUsername(Provider provider) {
  switch (provider) {
    case Provider::kGitHub:
      return "x-access-token";
    case Provider::kGitLab:
      return "oauth2";
    case Provider::kGenericGit:
      return "git";
  }
  return "git";
}

std::string CloneUrl(const Connection& connection, absl::string_view repository) {
  return absl::StrCat(connection.base_url, "/", repository, ".git");
}

absl::Status CheckImageRepository(absl::string_view field, absl::string_view image_repository,
                                  absl::string_view registry) {
  const absl::StatusOr<oci::Reference> reference = oci::Reference::Parse(image_repository);
  if (!reference.ok()) return Annotate(reference.status(), field);
  if (!reference->tag.empty() || !reference->digest.empty()) {
    return Invalid(field, "must be given without a tag and a digest");
  }
  if (!registry.empty() && reference->registry != registry) {
    return Invalid(field, absl::StrCat("is not on the credential's registry ", registry));
  }
  return absl::OkStatus();
}

}  // namespace davit::token_registry
