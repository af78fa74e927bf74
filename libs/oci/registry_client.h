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
#include "libs/http/headers.h"
#include "libs/oci/manifest.h"

namespace davit::oci {

// How to identify to a registry; an empty user name means anonymous.
struct RegistryCredential {
  std::string username;
  std::string password;
};

// Configuration of a RegistryClient.
struct RegistryClientOptions {
  std::string registry = {};  // "host[:port]"; "docker.io" means Docker Hub
  RegistryCredential credential = {};
  absl::Duration timeout = absl::Seconds(30);  // for each HTTP request
};

// A client of one registry with one credential. Authenticates as the registry asks: Basic, or Bearer with a token
// service (whose address is checked by the same policy). Plain http is used only for a registry that the client's
// address policy lists and that does not answer https; which of both is found out without credentials. Errors (hosts
// are named, secrets never):
//   UNAUTHENTICATED   "credential rejected by HOST (401)"; without a credential "HOST asks for a credential (401)"
//   PERMISSION_DENIED "access denied by HOST (403)"
//   NOT_FOUND         "image not found: REPOSITORY:TAG"
//   UNAVAILABLE       429, 5xx and failed connections
//   FAILED_PRECONDITION the registry refuses the request for another reason
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
  // One request of the distribution API.
  struct Call {
    std::string method;
    std::string path;   // after /v2/
    std::string scope;  // what a token must allow; empty for the API's root
    std::string what;   // the image, for errors
    http::Headers headers;
    std::string body;
    int64_t max_response_bytes;
  };
  enum class Access { kPull, kPush };

  // "https://host" or, where allowed and needed, "http://host"; found by the first call.
  absl::StatusOr<std::string> Origin();
  // Whether a server answers at the origin at all.
  absl::Status Probe(const std::string& origin);
  // Authenticates as far as it is asked for; the response is a success.
  absl::StatusOr<http::Response> Send(const Call& call);
  absl::StatusOr<http::Response> SendOnce(const Call& call, const std::string& origin,
                                          const std::string& authorization);
  absl::StatusOr<std::string> AuthorizationFor(const std::string& challenge, const std::string& scope);
  absl::StatusOr<std::string> FetchToken(const std::map<std::string, std::string>& challenge, const std::string& scope);
  absl::Status StatusOf(const http::Response& response, const std::string& what) const;
  absl::Status Rejected() const;
  absl::StatusOr<Call> ManifestCall(absl::string_view method, absl::string_view repository, absl::string_view reference,
                                    Access access) const;

  http::Client& client_;
  const RegistryClientOptions options_;
  const std::string host_;  // where requests go

  absl::Mutex mutex_;
  std::string origin_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> authorization_ ABSL_GUARDED_BY(mutex_);  // values of Authorization by scope
};

}  // namespace davit::oci
