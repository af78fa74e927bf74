// Keeps bare mirrors of remote repositories on disk, one for each (connection, repository), within a budget of bytes.
// Fetches exactly the commit that is wanted. Several threads and several processes may share a directory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/git/commit_tree.h"
#include "libs/git/credential.h"
#include "libs/git/fetch_control.h"
#include "libs/git/object_id.h"
#include "libs/git/url.h"

namespace davit::http {
class Client;
}  // namespace davit::http

namespace davit::git {

// Where mirrors are kept and how many bytes they may take.
struct MirrorStoreOptions {
  // Created when absent, readable by its owner only.
  std::string directory;
  // Bytes of all mirrors together. The least recently used are deleted, those in use never, so that the sum may exceed
  // the budget for a while.
  int64_t budget_bytes = int64_t{20} << 30;
};

// Which commit of which repository.
struct FetchRequest {
  // Whose credential it is; mirrors are never shared between connections, as their rights differ.
  std::string connection;
  RepositoryUrl url;
  ObjectId commit;
  // The full ref that the commit was seen on (refs/heads/main), when known. With it the commit must still be
  // reachable from that ref or from the default branch; without it the server alone decides.
  std::string ref_hint;
};

// What a fetch cost.
struct FetchOutcome {
  std::unique_ptr<CommitTree> commit;
  int64_t received_bytes = 0;
  int64_t received_objects = 0;
  // The commit was in the mirror: no server was asked.
  bool already_present = false;
};

class MirrorStore {
 public:
  // `client` does all requests (its address policy holds for them) and must outlive the store.
  static absl::StatusOr<std::unique_ptr<MirrorStore>> Open(MirrorStoreOptions options, http::Client& client);
  ~MirrorStore();
  MirrorStore(const MirrorStore&) = delete;
  MirrorStore& operator=(const MirrorStore&) = delete;

  // Makes the commit available locally and pins its mirror. A commit that is present costs no request. Concurrent
  // fetches of one repository take turns. A corrupt mirror is deleted and fetched anew, once. Errors:
  //   UNAUTHENTICATED     `credential rejected by HOST (401)`; PERMISSION_DENIED for `… (403)`
  //   NOT_FOUND           `repository not found: URL`
  //   FAILED_PRECONDITION `commit SHA is no longer reachable`
  //   INVALID_ARGUMENT    `address not allowed…` (from the client's address policy), `invalid ref: …`
  //   RESOURCE_EXHAUSTED, CANCELLED, DEADLINE_EXCEEDED (see FetchControl); UNAVAILABLE for a failing server or network.
  absl::StatusOr<FetchOutcome> Fetch(const FetchRequest& request, const Credential& credential,
                                     const FetchControl& control);

  // Deletes the mirror of a repository after an object in it could not be read (DATA_LOSS), so that the next Fetch
  // starts anew.
  absl::Status Discard(absl::string_view connection, const RepositoryUrl& url);

  // Deletes least recently used mirrors until the budget holds. Fetch does it by itself.
  absl::Status Evict();

 private:
  struct State;
  explicit MirrorStore(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace davit::git
