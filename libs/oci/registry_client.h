// Talks to one image registry by the OCI distribution API: what publishing tags, checking credentials and looking up
// base images need. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/http/client.h"
#include "libs/oci/manifest.h"

namespace davit::oci {

// How to identify to a registry; an empty user name means anonymous.
struct RegistryCredential {
  std::string username;
  std::string password;
};

// Configuration of a RegistryClient.
struct RegistryClientOptions {
  std::string registry;  // "host[:port]"; "docker.io" means Docker Hub
  RegistryCredential credential;
  absl::Duration timeout = absl::Seconds(30);  // for each HTTP request
};

// A client of one registry with one credential. Authenticates as the registry asks: Basic, or Bearer with a token
// service (whose address is checked by the same policy). Plain http is used only for a registry that the client's
// address policy lists and that does not answer https; which of both is found out without credentials. Errors (hosts
// are named, secrets never):
//   UNAUTHENTICATED   "credential rejected by HOST (401)"
//   PERMISSION_DENIED "access denied by HOST (403)"
//   NOT_FOUND         "image not found: REPOSITORY:TAG"
//   UNAVAILABLE       429, 5xx and failed connections
//   DATA_LOSS         content whose digest is not what was asked for or announced
//   INVALID_ARGUMENT  a repository, tag or digest that is not one; an address that the policy refuses
class RegistryClient {
 public:
  // `client` must outlive this object.
  RegistryClient(http::Client& client, RegistryClientOptions options);

  // Checks that the registry answers and accepts the credential (GET /v2/, with the token service when it asks for
  // one).
  absl::Status CheckCredential();

  // What `reference` (a tag or a digest) points at, without its bytes.
  absl::StatusOr<Descriptor> HeadManifest(absl::string_view repository, absl::string_view reference);

  // The manifest or index behind `reference`, at most 4 MiB, its digest verified.
  absl::StatusOr<Manifest> GetManifest(absl::string_view repository, absl::string_view reference);

  // Stores `manifest` under `reference` (a tag, or its own digest). Storing the same again is harmless.
  absl::Status PutManifest(absl::string_view repository, absl::string_view reference, const Manifest& manifest);

  // Points `tag` at the manifest that `digest` names: the bytes are read and stored unchanged.
  absl::Status TagManifest(absl::string_view repository, absl::string_view digest, absl::string_view tag);

  // A blob of at most `max_bytes` (RESOURCE_EXHAUSTED above), its digest verified.
  absl::StatusOr<std::string> GetBlob(absl::string_view repository, absl::string_view digest, int64_t max_bytes);

 private:
  struct Call;

  absl::StatusOr<std::string> Origin();
  absl::StatusOr<http::Response> Send(const Call& call);
  absl::StatusOr<std::string> AuthorizationFor(const std::string& challenge, const std::string& scope);
  absl::StatusOr<std::string> FetchToken(const std::map<std::string, std::string>& parameters,
                                         const std::string& scope);
  absl::Status StatusOf(const http::Response& response, absl::string_view what) const;

  http::Client& client_;
  const RegistryClientOptions options_;
  const std::string host_;  // where requests go

  absl::Mutex mutex_;
  std::string origin_ ABSL_GUARDED_BY(mutex_);                                // found by the first request
  std::map<std::string, std::string> authorization_ ABSL_GUARDED_BY(mutex_);  // by scope
};

}  // namespace davit::oci
