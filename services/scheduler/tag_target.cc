// Implements tag_target.h over libs/oci.
#include "services/scheduler/tag_target.h"

#include <utility>

#include "libs/oci/reference.h"
#include "libs/oci/registry_client.h"
#include "libs/status/status_macros.h"

namespace davit::scheduler {
namespace {

class OciTagTarget : public TagTarget {
 public:
  OciTagTarget(http::Client& client, oci::RegistryClientOptions options, std::string repository)
      : client_(client, std::move(options)), repository_(std::move(repository)) {}

  absl::Status Set(absl::string_view tag, absl::string_view digest) override {
    return client_.TagManifest(repository_, digest, tag);
  }

 private:
  oci::RegistryClient client_;
  const std::string repository_;
};

class OciTagTargets : public TagTargets {
 public:
  OciTagTargets(http::Client& client, TokenRegistryClient& token_registry, absl::Duration request_timeout)
      : client_(client), token_registry_(token_registry), request_timeout_(request_timeout) {}

  absl::StatusOr<std::unique_ptr<TagTarget>> Open(const Publication& publication) override {
    DAVIT_ASSIGN_OR_RETURN(const oci::Reference reference, oci::Reference::Parse(publication.image_repository));
    oci::RegistryClientOptions options;
    options.registry = reference.registry;
    options.timeout = request_timeout_;
    if (!publication.registry_credential_id.empty()) {
      absl::StatusOr<PublishCredential> credential = token_registry_.IssuePublishCredential(
          publication.project, publication.build_id, publication.registry_credential_id, publication.image_repository);
      // Only "there is no such credential" is the user's; everything else is between the two services.
      if (absl::IsNotFound(credential.status())) return credential.status();
      if (!credential.ok()) return absl::UnavailableError(credential.status().message());
      options.credential.username = credential->username;
      options.credential.password = std::string(credential->password.Reveal());
    }
    return std::make_unique<OciTagTarget>(client_, std::move(options), reference.repository);
  }

 private:
  http::Client& client_;
  TokenRegistryClient& token_registry_;
  const absl::Duration request_timeout_;
};

}  // namespace

std::unique_ptr<TagTargets> NewOciTagTargets(http::Client& client, TokenRegistryClient& token_registry,
                                             absl::Duration request_timeout) {
  return std::make_unique<OciTagTargets>(client, token_registry, request_timeout);
}

}  // namespace davit::scheduler
