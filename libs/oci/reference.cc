// Implements reference.h.
#include "libs/oci/reference.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/status/status_macros.h"

namespace davit::oci {
namespace {

constexpr size_t kMaxRepository = 255;
constexpr size_t kMaxTag = 128;

absl::Status Invalid(absl::string_view part, absl::string_view value, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("invalid image reference: ", part, " \"", value, "\" ", rule));
}

bool IsLowerAlnum(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

// [a-z0-9]+ joined by ".", "_", "__" or dashes.
bool IsComponent(absl::string_view component) {
  size_t i = 0;
  while (true) {
    const size_t word = i;
    while (i < component.size() && IsLowerAlnum(component[i])) ++i;
    if (i == word) return false;
    if (i == component.size()) return true;
    const size_t separator = i;
    while (i < component.size() && !IsLowerAlnum(component[i])) ++i;
    const absl::string_view joint = component.substr(separator, i - separator);
    const bool dashes = std::all_of(joint.begin(), joint.end(), [](char c) { return c == '-'; });
    if (joint != "." && joint != "_" && joint != "__" && !dashes) return false;
  }
}

bool LooksLikeRegistry(absl::string_view component) {
  return component == "localhost" || component.find_first_of(".:") != component.npos;
}

}  // namespace

absl::Status CheckTag(absl::string_view tag) {
  const bool valid = !tag.empty() && tag.size() <= kMaxTag && tag[0] != '.' && tag[0] != '-' &&
                     std::all_of(tag.begin(), tag.end(),
                                 [](char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-'; });
  if (valid) return absl::OkStatus();
  return Invalid("tag", tag,
                 "must be 1 to 128 letters, digits, \"_\", \".\" or \"-\", not beginning with \".\" or \"-\"");
}

absl::Status CheckDigest(absl::string_view digest) {
  absl::string_view hex = digest;
  const bool sha256 = absl::StartsWith(digest, "sha256:");
  if (sha256) hex.remove_prefix(7);
  const bool valid = sha256 && hex.size() == 64 && std::all_of(hex.begin(), hex.end(), [](char c) {
                       return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
                     });
  if (valid) return absl::OkStatus();
  return Invalid("digest", digest, "must be sha256: and 64 lower-case hexadecimal digits");
}

absl::Status CheckRepository(absl::string_view repository) {
  if (repository.empty() || repository.size() > kMaxRepository) {
    return Invalid("repository", repository, "must have 1 to 255 characters");
  }
  for (const absl::string_view component : absl::StrSplit(repository, '/')) {
    if (!IsComponent(component)) {
      return Invalid(
          "repository", repository,
          "must be lower-case letters and digits, joined by \".\", \"_\", \"__\" or \"-\", separated by \"/\"");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRegistry(absl::string_view registry) {
  constexpr char kRule[] = "must be a host or host:port";
  absl::string_view host = registry;
  const bool bracketed = absl::StartsWith(registry, "[");
  const size_t colon = bracketed ? registry.find("]:") : registry.find(':');
  if (colon != registry.npos) {
    const size_t port_at = colon + (bracketed ? 2 : 1);
    int port = 0;
    const absl::string_view text = registry.substr(port_at);
    if (!std::all_of(text.begin(), text.end(), absl::ascii_isdigit) || !absl::SimpleAtoi(text, &port) || port < 1 ||
        port > 65535) {
      return Invalid("registry", registry, kRule);
    }
    host = registry.substr(0, port_at - 1);
  }
  if (bracketed) {
    if (host.size() < 4 || host.back() != ']') return Invalid("registry", registry, kRule);
    host = host.substr(1, host.size() - 2);
  }
  const bool valid = !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [bracketed](char c) {
    return bracketed ? absl::ascii_isxdigit(c) || c == ':' || c == '.' : absl::ascii_isalnum(c) || c == '-' || c == '.';
  });
  return valid ? absl::OkStatus() : Invalid("registry", registry, kRule);
}

absl::StatusOr<Reference> Reference::Parse(absl::string_view text) {
  if (text.empty())
    return absl::InvalidArgumentError("invalid image reference: it is empty; expected registry/repository:tag");
  Reference reference;
  absl::string_view rest = text;
  if (const size_t at = rest.find('@'); at != rest.npos) {
    reference.digest = std::string(rest.substr(at + 1));
    DAVIT_RETURN_IF_ERROR(CheckDigest(reference.digest));
    rest = rest.substr(0, at);
  }
  const size_t slash = rest.find('/');
  const bool has_registry = slash != rest.npos && LooksLikeRegistry(rest.substr(0, slash));
  reference.registry = has_registry ? std::string(rest.substr(0, slash)) : "docker.io";
  if (has_registry) rest.remove_prefix(slash + 1);
  DAVIT_RETURN_IF_ERROR(CheckRegistry(reference.registry));
  if (const size_t colon = rest.rfind(':'); colon != rest.npos && rest.find('/', colon) == rest.npos) {
    reference.tag = std::string(rest.substr(colon + 1));
    rest = rest.substr(0, colon);
    DAVIT_RETURN_IF_ERROR(CheckRepository(rest));
    DAVIT_RETURN_IF_ERROR(CheckTag(reference.tag));
  }
  DAVIT_RETURN_IF_ERROR(CheckRepository(rest));
  const bool official = reference.registry == "docker.io" && !absl::StrContains(rest, '/');
  reference.repository = official ? absl::StrCat("library/", rest) : std::string(rest);
  DAVIT_RETURN_IF_ERROR(CheckRepository(reference.repository));  // The prefix may have made it too long.
  return reference;
}

std::string Reference::ToString() const {
  std::string text = Name();
  if (!tag.empty()) absl::StrAppend(&text, ":", tag);
  if (!digest.empty()) absl::StrAppend(&text, "@", digest);
  return text;
}

std::string Reference::Name() const { return absl::StrCat(registry, "/", repository); }

Reference Reference::WithTag(absl::string_view new_tag) const {
  return {registry, repository, std::string(new_tag), ""};
}

Reference Reference::WithDigest(absl::string_view new_digest) const {
  return {registry, repository, "", std::string(new_digest)};
}

}  // namespace davit::oci
