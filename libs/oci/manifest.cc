// Implements manifest.h. Formats: the OCI image specification 1.0 and docker's image manifest version 2, schema 2.
#include "libs/oci/manifest.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/hash.h"
#include "libs/oci/reference.h"
#include "libs/status/status_macros.h"

namespace davit::oci {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order of what is not changed

constexpr std::pair<const char*, const char*> kOciEquivalents[] = {
    {kDockerConfig, kOciConfig},
    {"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", "application/vnd.oci.image.layer.v1.tar+zstd"},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar", "application/vnd.oci.image.layer.nondistributable.v1.tar"},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
     "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"},
};

absl::Status Invalid(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("invalid manifest: ", why));
}

absl::StatusOr<Descriptor> ParseDescriptor(const Json& json) {
  if (!json.is_object()) return Invalid("a descriptor is not an object");
  const auto media_type = json.find("mediaType"), digest = json.find("digest"), size = json.find("size");
  if (media_type == json.end() || !media_type->is_string()) return Invalid("a descriptor has no mediaType");
  if (digest == json.end() || !digest->is_string()) return Invalid("a descriptor has no digest");
  if (size == json.end() || !size->is_number_integer() || size->get<int64_t>() < 0)
    return Invalid("a descriptor has no size");
  Descriptor descriptor{media_type->get<std::string>(), digest->get<std::string>(), size->get<int64_t>()};
  DAVIT_RETURN_IF_ERROR(CheckDigest(descriptor.digest));
  return descriptor;
}

// The manifest as JSON, its config and layers checked.
absl::StatusOr<Json> ParseImage(const Manifest& manifest, ImageManifest& image) {
  if (manifest.media_type != kOciManifest && manifest.media_type != kDockerManifest) {
    return Invalid(absl::StrCat(manifest.media_type, " is not an image manifest"));
  }
  Json json = Json::parse(manifest.bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Invalid("not a JSON object");
  const auto version = json.find("schemaVersion");
  if (version == json.end() || *version != 2) return Invalid("schemaVersion is not 2");
  const auto config = json.find("config"), layers = json.find("layers");
  if (config == json.end() || layers == json.end() || !layers->is_array())
    return Invalid("config or layers are missing");
  DAVIT_ASSIGN_OR_RETURN(image.config, ParseDescriptor(*config));
  for (const Json& layer : *layers) {
    DAVIT_ASSIGN_OR_RETURN(Descriptor descriptor, ParseDescriptor(layer));
    image.layers.push_back(std::move(descriptor));
  }
  if (const auto annotations = json.find("annotations"); annotations != json.end() && !annotations->is_null()) {
    if (!annotations->is_object()) return Invalid("annotations are not an object");
    for (const auto& [key, value] : annotations->items()) {
      if (!value.is_string()) return Invalid("an annotation is not a string");
      image.annotations[key] = value.get<std::string>();
    }
  }
  return json;
}

absl::Status ConvertMediaType(Json& descriptor) {
  const std::string media_type = descriptor["mediaType"].get<std::string>();
  for (const auto& [docker, oci] : kOciEquivalents) {
    if (media_type != docker) continue;
    descriptor["mediaType"] = oci;
    return absl::OkStatus();
  }
  if (absl::StartsWith(media_type, "application/vnd.docker.")) {
    return Invalid(absl::StrCat(media_type, " has no OCI equivalent"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string DigestOf(absl::string_view bytes) { return absl::StrCat("sha256:", crypto::Sha256Hex(bytes)); }

Manifest Manifest::FromBytes(absl::string_view media_type, absl::string_view bytes) {
  return {std::string(media_type), DigestOf(bytes), std::string(bytes)};
}

absl::StatusOr<ImageManifest> ParseImageManifest(const Manifest& manifest) {
  ImageManifest image;
  DAVIT_RETURN_IF_ERROR(ParseImage(manifest, image).status());
  return image;
}

absl::StatusOr<Manifest> AnnotateManifest(const Manifest& manifest,
                                          const std::map<std::string, std::string>& annotations) {
  ImageManifest image;
  DAVIT_ASSIGN_OR_RETURN(Json json, ParseImage(manifest, image));
  json["mediaType"] = kOciManifest;
  DAVIT_RETURN_IF_ERROR(ConvertMediaType(json["config"]));
  for (Json& layer : json["layers"]) DAVIT_RETURN_IF_ERROR(ConvertMediaType(layer));
  for (const auto& [key, value] : annotations) image.annotations[key] = value;
  json.erase("annotations");
  if (!image.annotations.empty()) json["annotations"] = image.annotations;
  return Manifest::FromBytes(kOciManifest, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace davit::oci
