// Implements commit_fetch.h.
#include "libs/git/commit_fetch.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

// Commits that are told to the server as being here. The last few are the closest relatives; more only cost time.
constexpr size_t kMaxHaves = 16;
// How much history is fetched, step by step, to find a commit below a branch that moved on; 0 is all.
constexpr int kSearchDepths[] = {64, 4096, 0};
// Bytes between two calls of FetchControl::progress.
constexpr int64_t kProgressBytes = 256 * 1024;

absl::Status NotReachable(const ObjectId& commit) {
  return absl::FailedPreconditionError(absl::StrCat("commit ", commit.Hex(), " is no longer reachable"));
}

// The ref of that name, or null.
const RemoteRef* FindRef(const RemoteRefs& refs, const std::string& name) {
  const auto found =
      std::find_if(refs.refs.begin(), refs.refs.end(), [&name](const RemoteRef& ref) { return ref.name == name; });
  return found == refs.refs.end() ? nullptr : &*found;
}

bool PointsAt(const RemoteRef& ref, const ObjectId& id) { return ref.commit == id || ref.tag == id; }

}  // namespace

CommitFetch::CommitFetch(Remote& remote, ObjectStore& store, const std::vector<Head>& heads,
                         const FetchControl& control)
    : remote_(remote), store_(store), heads_(heads), control_(control) {}

void CommitFetch::AddHaves(PackRequest* request) const {
  for (size_t i = 0; i < std::min(heads_.size(), kMaxHaves); ++i) {
    request->haves.push_back(heads_[i].commit);
    if (heads_[i].shallow) request->shallow.push_back(heads_[i].commit);
  }
}

absl::StatusOr<CommitFetchResult> CommitFetch::Run(const ObjectId& commit, const std::string& ref_hint) {
  result_ = CommitFetchResult();
  DAVIT_ASSIGN_OR_RETURN(const RemoteCapabilities capabilities, remote_.Discover());
  if (!capabilities.any_id) {
    DAVIT_RETURN_IF_ERROR(FetchByRef(commit, ref_hint));
    DAVIT_RETURN_IF_ERROR(SetHead(commit));
    return result_;
  }
  if (ref_hint.empty()) {
    DAVIT_RETURN_IF_ERROR(FetchById(commit, capabilities));
  } else {
    // The two questions do not depend on each other, so that only one round trip is waited for.
    std::future<absl::StatusOr<RemoteRefs>> listing =
        std::async(std::launch::async, [remote = remote_, ref_hint]() mutable { return remote.ListRefs({ref_hint}); });
    const absl::Status fetched = FetchById(commit, capabilities);
    absl::StatusOr<RemoteRefs> refs = listing.get();
    DAVIT_RETURN_IF_ERROR(fetched);
    DAVIT_RETURN_IF_ERROR(refs.status());
    DAVIT_RETURN_IF_ERROR(CheckReachable(commit, ref_hint, *std::move(refs)));
  }
  result_.head.shallow = capabilities.shallow;
  DAVIT_RETURN_IF_ERROR(SetHead(commit));
  return result_;
}

absl::Status CommitFetch::FetchById(const ObjectId& commit, const RemoteCapabilities& capabilities) {
  PackRequest request;
  request.want = commit;
  request.depth = capabilities.shallow ? 1 : 0;
  AddHaves(&request);
  return FetchPack(request).status();
}

absl::Status CommitFetch::SetHead(const ObjectId& id) {
  result_.head.id = id;
  const auto info = store_.ReadCommit(id);
  if (absl::IsNotFound(info.status())) return absl::DataLossError(info.status().message());
  DAVIT_RETURN_IF_ERROR(info.status());
  result_.head.commit = info->id;
  return absl::OkStatus();
}

absl::Status CommitFetch::FetchByRef(const ObjectId& commit, const std::string& ref_hint) {
  DAVIT_ASSIGN_OR_RETURN(const RemoteRefs refs, remote_.ListRefs({}));
  const auto tip = std::find_if(refs.refs.begin(), refs.refs.end(),
                                [&commit](const RemoteRef& ref) { return PointsAt(ref, commit); });
  PackRequest request;
  request.want = commit;
  if (tip == refs.refs.end()) {
    const RemoteRef* ref = FindRef(refs, ref_hint);
    if (ref == nullptr) ref = FindRef(refs, refs.default_branch);
    if (ref == nullptr) return NotReachable(commit);
    request.want = ref->commit;
  }
  AddHaves(&request);
  // A shallow head would make the server leave out the history that the search below needs.
  const auto is_shallow = [&request](const ObjectId& id) {
    return std::find(request.shallow.begin(), request.shallow.end(), id) != request.shallow.end();
  };
  request.haves.erase(std::remove_if(request.haves.begin(), request.haves.end(), is_shallow), request.haves.end());
  request.shallow.clear();
  DAVIT_RETURN_IF_ERROR(FetchPack(request).status());
  if (request.want == commit) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const Ancestry ancestry, FindAncestor(commit, request.want));
  return ancestry == Ancestry::kFound ? absl::OkStatus() : NotReachable(commit);
}

absl::Status CommitFetch::CheckReachable(const ObjectId& commit, const std::string& ref_hint, RemoteRefs refs) {
  const RemoteRef* ref = FindRef(refs, ref_hint);
  if (ref == nullptr) {
    // The branch was deleted, most often because it was merged.
    if (refs.default_branch.empty()) return NotReachable(commit);
    DAVIT_ASSIGN_OR_RETURN(refs, remote_.ListRefs({refs.default_branch}));
    ref = FindRef(refs, refs.default_branch);
    if (ref == nullptr) return NotReachable(commit);
  }
  if (PointsAt(*ref, commit)) return absl::OkStatus();
  return SearchHistory(commit, ref->commit);
}

absl::Status CommitFetch::SearchHistory(const ObjectId& commit, const ObjectId& tip) {
  DAVIT_ASSIGN_OR_RETURN(const RemoteCapabilities capabilities, remote_.Discover());
  for (const int depth : kSearchDepths) {
    if (depth > 0 && !capabilities.shallow) continue;
    PackRequest request;
    request.want = tip;
    request.depth = depth;
    request.commits_only = capabilities.filter;
    // Without a filter trees come along: what is here already need not come again, except when all history is wanted.
    if (!capabilities.filter && depth > 0) AddHaves(&request);
    DAVIT_RETURN_IF_ERROR(FetchPack(request).status());
    DAVIT_ASSIGN_OR_RETURN(const Ancestry ancestry, FindAncestor(commit, tip));
    if (ancestry == Ancestry::kFound) return absl::OkStatus();
    if (ancestry == Ancestry::kAbsent) break;
  }
  return NotReachable(commit);
}

absl::StatusOr<CommitFetch::Ancestry> CommitFetch::FindAncestor(const ObjectId& commit, const ObjectId& tip) const {
  absl::flat_hash_set<ObjectId> seen = {tip};
  std::vector<ObjectId> open = {tip};
  Ancestry absent = Ancestry::kAbsent;
  while (!open.empty()) {
    const ObjectId current = open.back();
    open.pop_back();
    if (current == commit) return Ancestry::kFound;
    const auto parents = store_.ReadParents(current);
    if (absl::IsNotFound(parents.status())) {
      absent = Ancestry::kUnknown;
      continue;
    }
    DAVIT_RETURN_IF_ERROR(parents.status());
    for (const ObjectId& parent : *parents) {
      if (seen.insert(parent).second) open.push_back(parent);
    }
  }
  return absent;
}

absl::StatusOr<PackResult> CommitFetch::FetchPack(const PackRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::unique_ptr<PackWriter> writer, store_.NewPackWriter());
  int64_t received = 0;
  int64_t reported = 0;
  const auto report = [&] {
    reported = received;
    if (control_.progress) {
      control_.progress({result_.received_bytes + received, writer->received_objects(), writer->total_objects()});
    }
  };
  DAVIT_ASSIGN_OR_RETURN(PackResult pack, remote_.FetchPack(request, [&](absl::string_view bytes) -> absl::Status {
    if (control_.cancelled != nullptr && control_.cancelled->load()) {
      return absl::CancelledError("the fetch was cancelled");
    }
    DAVIT_RETURN_IF_ERROR(writer->Append(bytes));
    received += static_cast<int64_t>(bytes.size());
    if (received - reported >= kProgressBytes) report();
    return absl::OkStatus();
  }));
  // A pack of no objects cannot be indexed, and there is nothing in it.
  if (writer->total_objects() > 0) DAVIT_RETURN_IF_ERROR(writer->Commit());
  report();
  result_.received_bytes += received;
  result_.received_objects += writer->received_objects();
  return pack;
}

}  // namespace davit::git
