// Adds to pushed images where they came from. Interface and its implementation over a registry; thread-safe.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "davit/registry/v1/token_registry.pb.h"
#include "libs/http/client.h"

namespace davit::builder_agent {

// Writes annotations into the manifests of pushed images: they belong there and not into the config, so that equal
// inputs give equal configs and layers.
class ImageAnnotator {
 public:
  virtual ~ImageAnnotator() = default;

  // Puts the manifest `digest` of `image` (registry/repository:tag) with `annotations` under the image's tag and
  // returns the digest of that manifest.
  virtual absl::StatusOr<std::string> Annotate(const std::string& image, const std::string& digest,
                                               const registry::v1::RegistryAccess& access,
                                               const std::map<std::string, std::string>& annotations) = 0;
};

// Annotates through the registry's API.
class RegistryAnnotator final : public ImageAnnotator {
 public:
  // `client` must outlive the annotator.
  explicit RegistryAnnotator(http::Client& client);

  absl::StatusOr<std::string> Annotate(const std::string& image, const std::string& digest,
                                       const registry::v1::RegistryAccess& access,
                                       const std::map<std::string, std::string>& annotations) override;

 private:
  http::Client& client_;
};

}  // namespace davit::builder_agent
