// Names of images: REGISTRY/REPOSITORY[:TAG][@DIGEST], by the grammar of the OCI distribution specification. Value
// types; usable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::oci {

// A parsed image reference.
struct Reference {
  std::string registry;    // "host" or "host:port"
  std::string repository;  // "team/app"
  std::string tag;         // empty when there is none
  std::string digest;      // "sha256:…"; empty when there is none

  // Reads a reference. As docker does, a first component without "." or ":" that is not "localhost" is not a registry:
  // "busybox" is docker.io/library/busybox. INVALID_ARGUMENT "invalid image reference: …" with the offending part.
  static absl::StatusOr<Reference> Parse(absl::string_view text);

  // The whole reference.
  std::string ToString() const;

  // "registry/repository".
  std::string Name() const;

  // This name with only that tag, or only that digest (both unchecked).
  Reference WithTag(absl::string_view new_tag) const;
  Reference WithDigest(absl::string_view new_digest) const;

  bool operator==(const Reference&) const = default;
};

// INVALID_ARGUMENT "invalid image reference: …" unless `tag` is [A-Za-z0-9_][A-Za-z0-9._-]{0,127}.
absl::Status CheckTag(absl::string_view tag);

// The same for a digest: sha256: and 64 lower-case hexadecimal digits.
absl::Status CheckDigest(absl::string_view digest);

// The same for a repository: lower-case components of letters and digits, joined by ".", "_", "__" or dashes, separated
// by "/".
absl::Status CheckRepository(absl::string_view repository);

// The same for a registry: host or host:port.
absl::Status CheckRegistry(absl::string_view registry);

}  // namespace davit::oci
