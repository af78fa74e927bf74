// Implements commit_tree.h: symlinks are resolved here, inside the commit's own tree, as a kernel would in a checkout.
#include "libs/git/commit_tree.h"

#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/git/object_store.h"
#include "libs/git/url.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

// As many as Linux follows.
constexpr int kMaxSymlinks = 40;

absl::Status LeadsOut(absl::string_view error, absl::string_view path) {
  return absl::InvalidArgumentError(absl::StrCat(error, ": \"", path, "\" leads out through a symlink"));
}

std::deque<std::string> Components(absl::string_view path) { return absl::StrSplit(path, '/', absl::SkipEmpty()); }

// Finds what a path means with every symlink on the way followed. NOT_FOUND when nothing is there; a path that leads
// out of the tree fails with `error` as its message's start.
absl::StatusOr<TreeEntry> Resolve(const TreeReader& root, absl::string_view path, absl::string_view error) {
  std::deque<std::string> todo = Components(path);
  std::vector<std::string> done;
  TreeEntry current;
  current.id = root.tree_id();
  current.kind = EntryKind::kDirectory;
  int followed = 0;
  while (!todo.empty()) {
    const std::string component = std::move(todo.front());
    todo.pop_front();
    if (component == ".") continue;
    if (component == "..") {
      if (done.empty()) return LeadsOut(error, path);
      done.pop_back();
      DAVIT_ASSIGN_OR_RETURN(current, root.Find(absl::StrJoin(done, "/")));
      continue;
    }
    done.push_back(component);
    DAVIT_ASSIGN_OR_RETURN(current, root.Find(absl::StrJoin(done, "/")));
    if (current.kind != EntryKind::kSymlink) continue;
    if (absl::StartsWith(current.symlink_target, "/")) return LeadsOut(error, path);
    if (++followed > kMaxSymlinks) {
      return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" leads through too many symlinks"));
    }
    done.pop_back();
    const std::deque<std::string> target = Components(current.symlink_target);
    todo.insert(todo.begin(), target.begin(), target.end());
    DAVIT_ASSIGN_OR_RETURN(current, root.Find(absl::StrJoin(done, "/")));
  }
  return current;
}

}  // namespace

CommitTree::CommitTree(std::shared_ptr<const ObjectStore> store, CommitInfo info)
    : store_(std::move(store)), info_(std::move(info)) {}

CommitTree::~CommitTree() = default;

absl::StatusOr<std::unique_ptr<TreeReader>> CommitTree::OpenContext(absl::string_view directory,
                                                                    const TreeLimits& limits) const {
  DAVIT_ASSIGN_OR_RETURN(const std::string clean, CleanRepositoryPath(directory));
  const TreeReader root(store_, info_.tree, limits);
  const auto entry = Resolve(root, clean, "context resolves outside the repository");
  if (absl::IsNotFound(entry.status()) || (entry.ok() && entry->kind != EntryKind::kDirectory)) {
    return absl::NotFoundError(
        absl::StrCat("context directory not found: \"", clean, "\" is no directory in ", info_.id.Hex()));
  }
  DAVIT_RETURN_IF_ERROR(entry.status());
  return std::make_unique<TreeReader>(store_, entry->id, limits);
}

absl::StatusOr<std::string> CommitTree::ReadFile(absl::string_view path, int64_t max_bytes) const {
  DAVIT_ASSIGN_OR_RETURN(const std::string clean, CleanRepositoryPath(path));
  TreeLimits limits;
  limits.max_blob_bytes = max_bytes;
  const TreeReader root(store_, info_.tree, limits);
  const auto entry = Resolve(root, clean, "path leaves the repository");
  const bool is_file = entry.ok() && (entry->kind == EntryKind::kFile || entry->kind == EntryKind::kExecutable);
  if (absl::IsNotFound(entry.status()) || (entry.ok() && !is_file)) {
    return absl::NotFoundError(absl::StrCat(clean, " not found in ", info_.id.Hex()));
  }
  DAVIT_RETURN_IF_ERROR(entry.status());
  if (entry->size > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(clean, " has ", entry->size, " bytes, more than the ", max_bytes, " allowed"));
  }
  return root.ReadBlob(entry->id);
}

bool IsLfsPointer(absl::string_view content) {
  return static_cast<int64_t>(content.size()) <= kMaxLfsPointerBytes &&
         (absl::StartsWith(content, "version https://git-lfs.github.com/spec/v1\n") ||
          absl::StartsWith(content, "version https://hawser.github.com/spec/v1\n")) &&
         absl::StrContains(content, "\noid sha256:");
}

}  // namespace davit::git
