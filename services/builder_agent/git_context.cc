// A directory of a commit as a build's context.
#include "services/builder_agent/git_context.h"

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "libs/status/status_macros.h"

namespace davit::builder_agent {
namespace {

// Blobs are handed on in pieces of this size.
constexpr int64_t kPieceBytes = 256 << 10;

buildkit::EntryKind ToKind(git::EntryKind kind) {
  switch (kind) {
    case git::EntryKind::kFile:
    case git::EntryKind::kExecutable:
      return buildkit::EntryKind::kFile;
    case git::EntryKind::kSymlink:
      return buildkit::EntryKind::kSymlink;
    case git::EntryKind::kDirectory:
    case git::EntryKind::kSubmodule:
      break;
  }
  return buildkit::EntryKind::kDirectory;
}

git::WalkDecision ToGit(buildkit::WalkDecision decision) {
  switch (decision) {
    case buildkit::WalkDecision::kInclude:
      return git::WalkDecision::kInclude;
    case buildkit::WalkDecision::kSkip:
      return git::WalkDecision::kSkip;
    case buildkit::WalkDecision::kSkipSubtree:
      break;
  }
  return git::WalkDecision::kSkipSubtree;
}

buildkit::ContextEntry ToEntry(git::TreeEntry&& from) {
  buildkit::ContextEntry entry;
  entry.path = std::move(from.path);
  entry.kind = ToKind(from.kind);
  switch (entry.kind) {
    case buildkit::EntryKind::kDirectory:
      entry.permissions = 0755;
      break;
    case buildkit::EntryKind::kSymlink:
      entry.permissions = 0777;
      entry.link_target = std::move(from.symlink_target);
      break;
    case buildkit::EntryKind::kFile:
      entry.permissions = from.kind == git::EntryKind::kExecutable ? 0755 : 0644;
      entry.size = from.size;
      entry.content_id = from.id.Hex();
      break;
  }
  return entry;
}

absl::StatusOr<std::vector<buildkit::ContextEntry>> List(const git::TreeReader& tree, const git::WalkFilter& filter) {
  DAVIT_ASSIGN_OR_RETURN(std::vector<git::TreeEntry> found, tree.Walk(filter));
  std::vector<buildkit::ContextEntry> entries;
  entries.reserve(found.size());
  for (git::TreeEntry& entry : found) entries.push_back(ToEntry(std::move(entry)));
  return entries;
}

bool IsBelow(absl::string_view path, absl::string_view directory) {
  return path.size() > directory.size() && path[directory.size()] == '/' && absl::StartsWith(path, directory);
}

// What a walk with the filter finds among all entries.
std::vector<buildkit::ContextEntry> Select(const std::vector<buildkit::ContextEntry>& all,
                                           const buildkit::WalkFilter& filter) {
  std::vector<buildkit::ContextEntry> entries;
  entries.reserve(all.size());
  absl::string_view skipped;  // everything below it is left out
  for (const buildkit::ContextEntry& entry : all) {
    if (!skipped.empty() && IsBelow(entry.path, skipped)) continue;
    const buildkit::WalkDecision decision = filter(entry.path, entry.kind);
    if (decision == buildkit::WalkDecision::kInclude) entries.push_back(entry);
    if (decision == buildkit::WalkDecision::kSkipSubtree) skipped = entry.path;
  }
  return entries;
}

}  // namespace

GitContext::GitContext(std::unique_ptr<git::TreeReader> tree, Listing listing)
    : tree_(std::move(tree)),
      ahead_(listing == Listing::kAhead
                 ? std::async(std::launch::async, [this] { return List(*tree_, nullptr); }).share()
                 : std::shared_future<absl::StatusOr<Entries>>()) {}

void GitContext::WaitUntilListed() const {
  if (ahead_.valid()) ahead_.wait();
}

absl::StatusOr<std::vector<buildkit::ContextEntry>> GitContext::Walk(const buildkit::WalkFilter& filter) const {
  // A narrow filter is quicker than the rest of the whole list. What is over a limit may be what the filter leaves out.
  if (ahead_.valid() && ahead_.wait_for(std::chrono::seconds(0)) == std::future_status::ready && ahead_.get().ok()) {
    return Select(*ahead_.get(), filter);
  }
  return List(*tree_, [&](absl::string_view path, git::EntryKind kind) { return ToGit(filter(path, ToKind(kind))); });
}

absl::StatusOr<buildkit::ContextEntry> GitContext::Find(absl::string_view path) const {
  DAVIT_ASSIGN_OR_RETURN(git::TreeEntry entry, tree_->Find(path));
  return ToEntry(std::move(entry));
}

absl::Status GitContext::ReadFile(const buildkit::ContextEntry& file, const buildkit::ContentVisitor& visit) const {
  DAVIT_ASSIGN_OR_RETURN(const git::ObjectId id, git::ObjectId::FromHex(file.content_id));
  return tree_->StreamBlob(id, kPieceBytes, visit);
}

}  // namespace davit::builder_agent
