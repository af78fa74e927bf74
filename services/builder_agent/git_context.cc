// A directory of a commit as a build's context.
#include "services/builder_agent/git_context.h"

#include <utility>

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

}  // namespace

GitContext::GitContext(std::unique_ptr<git::TreeReader> tree) : tree_(std::move(tree)) {}

absl::StatusOr<std::vector<buildkit::ContextEntry>> GitContext::Walk(const buildkit::WalkFilter& filter) const {
  DAVIT_ASSIGN_OR_RETURN(
      std::vector<git::TreeEntry> found,
      tree_->Walk([&](absl::string_view path, git::EntryKind kind) { return ToGit(filter(path, ToKind(kind))); }));
  std::vector<buildkit::ContextEntry> entries;
  entries.reserve(found.size());
  for (git::TreeEntry& entry : found) entries.push_back(ToEntry(std::move(entry)));
  return entries;
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
