// Image manifests as registries store them: exact bytes with a media type and the digest of the bytes. Value types;
// usable from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::oci {

inline constexpr char kOciManifest[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kOciIndex[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kOciConfig[] = "application/vnd.oci.image.config.v1+json";
inline constexpr char kDockerManifest[] = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr char kDockerManifestList[] = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr char kDockerConfig[] = "application/vnd.docker.container.image.v1+json";

// Points at content: what it is, its digest and its size in bytes.
struct Descriptor {
  std::string media_type;
  std::string digest;
  int64_t size = 0;

  bool operator==(const Descriptor&) const = default;
};

// A manifest or an index with its exact bytes.
struct Manifest {
  std::string media_type;
  std::string digest;  // "sha256:…" of `bytes`
  std::string bytes;

  // Takes bytes and computes their digest.
  static Manifest FromBytes(absl::string_view media_type, absl::string_view bytes);

  Descriptor descriptor() const { return {media_type, digest, static_cast<int64_t>(bytes.size())}; }
};

// The parts of an image manifest (not of an index).
struct ImageManifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;
};

// "sha256:" and the hexadecimal SHA-256 of the bytes.
std::string DigestOf(absl::string_view bytes);

// Reads an OCI or docker schema-2 image manifest. INVALID_ARGUMENT "invalid manifest: …" for anything else.
absl::StatusOr<ImageManifest> ParseImageManifest(const Manifest& manifest);

// Returns the same image as an OCI manifest that carries `annotations` (added to what is there; ours win). A docker
// schema-2 manifest is converted: the media types of config and layers become their OCI equivalents, digests and sizes
// stay. Equal inputs give equal bytes. INVALID_ARGUMENT for an index, a schema-1 manifest, or a layer type that has no
// OCI equivalent.
absl::StatusOr<Manifest> AnnotateManifest(const Manifest& manifest,
                                          const std::map<std::string, std::string>& annotations);

}  // namespace davit::oci
