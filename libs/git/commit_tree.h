// One commit that is present in a local mirror. While a CommitTree (or a TreeReader made from it) lives, its mirror is
// neither evicted nor rewritten. Immutable; usable from any number of threads.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/git/object_id.h"
#include "libs/git/tree_reader.h"

namespace davit::git {

// What a commit says about itself.
struct CommitInfo {
  ObjectId id;
  ObjectId tree;
  // First line of the message, valid UTF-8.
  std::string title;
  std::string author_name;
  std::string author_email;
  absl::Time author_time;
  absl::Time commit_time;
};

class CommitTree {
 public:
  CommitTree(std::shared_ptr<const ObjectStore> store, CommitInfo info);
  ~CommitTree();

  const CommitInfo& info() const { return info_; }

  // Opens a directory of the commit as a build's context. `directory` is relative to the repository's root ("" is the
  // root) and may lead through symlinks as long as they stay inside. INVALID_ARGUMENT: `path leaves the repository` for
  // a path that climbs out as written, `context resolves outside the repository` when a symlink leads out; NOT_FOUND:
  // `context directory not found: …` when it is absent or no directory.
  absl::StatusOr<std::unique_ptr<TreeReader>> OpenContext(absl::string_view directory, const TreeLimits& limits) const;

  // Reads one file by its path from the repository's root, following symlinks inside the repository. NOT_FOUND:
  // `PATH not found in SHA`; INVALID_ARGUMENT `path leaves the repository`; RESOURCE_EXHAUSTED when longer than
  // `max_bytes`.
  absl::StatusOr<std::string> ReadFile(absl::string_view path, int64_t max_bytes) const;

 private:
  std::shared_ptr<const ObjectStore> store_;
  CommitInfo info_;
};

// Whether a file's content is a Git LFS pointer, which stands for content that git does not have.
bool IsLfsPointer(absl::string_view content);

// The longest that a Git LFS pointer may be, in bytes: larger blobs need not be looked at.
inline constexpr int64_t kMaxLfsPointerBytes = 1024;

}  // namespace davit::git
