// The client side of git's smart HTTP protocol, for reading: version 2, and version 0 with servers that know no other.
// It asks for exactly what is wanted in one round, shallow where the server can, which libgit2's own transport does not
// do. Sources: gitprotocol-http(5), gitprotocol-v2(5), gitprotocol-pack(5). A Remote belongs to one thread at a time;
// its copies to others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/git/credential.h"
#include "libs/git/fetch_control.h"
#include "libs/git/object_id.h"
#include "libs/git/pkt_line.h"
#include "libs/git/remote_refs.h"
#include "libs/git/url.h"
#include "libs/http/client.h"

namespace davit::git {

// What a server said it can do.
struct RemoteCapabilities {
  int version = 0;
  // Can cut history off (`deepen`).
  bool shallow = false;
  // Can leave out objects (`filter`).
  bool filter = false;
  // Gives objects by id though no ref points at them (version 2 always may).
  bool any_id = false;
};

// One request for objects.
struct PackRequest {
  ObjectId want;
  // Commits that are complete here, or complete but for their history (`shallow`).
  std::vector<ObjectId> haves;
  std::vector<ObjectId> shallow;
  // Commits of history to send; 0 is all of it.
  int depth = 0;
  // Send commits without their trees and files. Needs RemoteCapabilities::filter.
  bool commits_only = false;
};

// What came with a pack.
struct PackResult {
  // Commits whose parents were left out.
  std::vector<ObjectId> shallow;
  int64_t received_bytes = 0;
};

// Takes the next bytes of a pack.
using PackSink = std::function<absl::Status(absl::string_view)>;

class Remote {
 public:
  // All parameters must outlive the Remote. `deadline` ends every request.
  Remote(http::Client& client, const RepositoryUrl& url, const Credential& credential, const FetchControl& control,
         absl::Time deadline);

  // Takes what an earlier Remote found out for granted, which saves a request. A server may have changed since: when
  // something fails then, ask anew.
  void Assume(const RemoteCapabilities& capabilities);

  // Whether requests go where the repository's URL says. What was discovered behind a redirect is not to be assumed
  // again.
  bool is_direct() const { return base_ == url_.text(); }

  // Asks what the server can do; done by the others when needed, and only once. Errors as ListRemoteRefs.
  absl::StatusOr<RemoteCapabilities> Discover();

  // The refs that start with one of the prefixes, and HEAD's target. Prefixes only save the server and the wire work:
  // more may come.
  absl::StatusOr<RemoteRefs> ListRefs(const std::vector<std::string>& prefixes);

  // Fetches a pack into `sink`. FAILED_PRECONDITION `commit SHA is no longer reachable` when the server does not have
  // or give the wanted id; errors as ListRemoteRefs otherwise.
  absl::StatusOr<PackResult> FetchPack(const PackRequest& request, const PackSink& sink);

 private:
  http::Request NewRequest(const std::string& url) const;
  absl::StatusOr<std::unique_ptr<http::ResponseStream>> Post(std::string body);
  // Turns an answer that is no success into a status.
  absl::Status CheckStatus(const http::ResponseHead& head) const;
  absl::Status CheckRedirect(const http::ResponseHead& head);
  absl::Status ServerError(absl::string_view message, const ObjectId* want) const;
  absl::Status ReadAdvertisement(PktReader& reader);
  absl::Status ReadCapabilities(PktReader& reader);
  absl::Status ReadRefAdvertisement(Pkt first, PktReader& reader);
  absl::StatusOr<RemoteRefs> ReadLsRefs(PktReader& reader) const;

  http::Client& client_;
  const RepositoryUrl& url_;
  const Credential& credential_;
  const FetchControl& control_;
  const absl::Time deadline_;
  // Where requests go: the repository's URL, or where a redirect on the same server led.
  std::string base_;
  bool discovered_ = false;
  RemoteCapabilities capabilities_;
  // Version 0 tells all refs with its capabilities.
  RemoteRefs advertised_;
};

// The body of the request for `request`, in the given version of the protocol.
std::string EncodePackRequest(const RemoteCapabilities& capabilities, const PackRequest& request);

}  // namespace davit::git
