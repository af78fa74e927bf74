// Decides what to ask a git server for, so that one commit becomes complete in a mirror: by id where the server gives
// ids, else by ref; shallow where it can; and whether the commit still belongs to the ref that it was seen on. Runs on
// the caller's thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/git/fetch_control.h"
#include "libs/git/mirror.h"
#include "libs/git/object_id.h"
#include "libs/git/object_store.h"
#include "libs/git/upload_pack.h"

namespace davit::git {

// What a fetch brought.
struct CommitFetchResult {
  Head head;
  int64_t received_bytes = 0;
  int64_t received_objects = 0;
};

class CommitFetch {
 public:
  // All parameters must outlive it. `heads` are the commits that are complete in `store`.
  CommitFetch(Remote& remote, ObjectStore& store, const std::vector<Head>& heads, const FetchControl& control);

  // Fetches `commit`. `ref_hint` as in FetchRequest. FAILED_PRECONDITION `commit SHA is no longer reachable`; errors of
  // the server as MirrorStore::Fetch; DATA_LOSS when a pack does not fit what the mirror holds.
  absl::StatusOr<CommitFetchResult> Run(const ObjectId& commit, const std::string& ref_hint);

 private:
  enum class Ancestry { kFound, kAbsent, kUnknown };

  // Fetches one pack into the store.
  absl::StatusOr<PackResult> FetchPack(const PackRequest& request);
  // Fetches the one commit.
  absl::Status FetchById(const ObjectId& commit, const RemoteCapabilities& capabilities);
  // Fails unless the commit is an ancestor of the ref, or of the default branch when the ref is gone. `refs` is what
  // the server has for `ref_hint`.
  absl::Status CheckReachable(const ObjectId& commit, const std::string& ref_hint, RemoteRefs refs);
  // Fetches ever more of the history of `tip` until `commit` is found in it.
  absl::Status SearchHistory(const ObjectId& commit, const ObjectId& tip);
  // Looks for `commit` in the part of the history of `tip` that is here.
  absl::StatusOr<Ancestry> FindAncestor(const ObjectId& commit, const ObjectId& tip) const;
  // For servers that give only what a ref points at: fetches that ref with its history.
  absl::Status FetchByRef(const ObjectId& commit, const std::string& ref_hint);
  // Says in the result what is complete now.
  absl::Status SetHead(const ObjectId& id);
  void AddHaves(PackRequest* request) const;

  Remote& remote_;
  ObjectStore& store_;
  const std::vector<Head>& heads_;
  const FetchControl& control_;
  CommitFetchResult result_;
};

}  // namespace davit::git
