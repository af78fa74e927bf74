// Adds to pushed images where they came from.
#include "services/builder_agent/image_annotator.h"

#include "libs/oci/manifest.h"
#include "libs/oci/reference.h"
#include "libs/oci/registry_client.h"
#include "libs/status/status_macros.h"

namespace davit::builder_agent {

RegistryAnnotator::RegistryAnnotator(http::Client& client) : client_(client) {}

absl::StatusOr<std::string> RegistryAnnotator::Annotate(const std::string& image, const std::string& digest,
                                                        const registry::v1::RegistryAccess& access,
                                                        const std::map<std::string, std::string>& annotations) {
  DAVIT_ASSIGN_OR_RETURN(const oci::Reference reference, oci::Reference::Parse(image));
  oci::RegistryClientOptions options;
  options.registry = reference.registry;
  options.credential = {access.username(), access.password()};
  oci::RegistryClient registry(client_, options);
  DAVIT_ASSIGN_OR_RETURN(const oci::Manifest pushed, registry.GetManifest(reference.repository, digest));
  DAVIT_ASSIGN_OR_RETURN(const oci::Manifest annotated, oci::AnnotateManifest(pushed, annotations));
  DAVIT_RETURN_IF_ERROR(registry.PutManifest(reference.repository, reference.tag, annotated));
  return annotated.digest;
}

}  // namespace davit::builder_agent
