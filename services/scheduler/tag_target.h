// Where tags are set: a registry with the credential of one build. The interface and its implementation over libs/oci.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/http/client.h"
#include "services/scheduler/store/records.h"
#include "services/scheduler/token_registry_client.h"

namespace davit::scheduler {

// One image repository. Used by one thread.
class TagTarget {
 public:
  virtual ~TagTarget() = default;

  // Points `tag` at the manifest of `digest`; repeating it is harmless. May block for a few HTTP requests.
  virtual absl::Status Set(absl::string_view tag, absl::string_view digest) = 0;
};

// Opens targets. Thread-safe.
class TagTargets {
 public:
  virtual ~TagTargets() = default;

  // The target of a publication, with its credential.
  virtual absl::StatusOr<std::unique_ptr<TagTarget>> Open(const Publication& publication) = 0;
};

// Targets in real registries. `request_timeout` is for each HTTP request. References must outlive the result.
std::unique_ptr<TagTargets> NewOciTagTargets(http::Client& client, TokenRegistryClient& token_registry,
                                             absl::Duration request_timeout);

}  // namespace davit::scheduler
