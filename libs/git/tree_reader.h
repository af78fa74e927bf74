// Reads one directory of one commit straight from git objects: what a build's context is, without a checkout.
// A TreeReader is immutable after it is made and usable from any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/git/object_id.h"

namespace davit::git {

class ObjectStore;

// What a tree may hold before it is refused. Errors are RESOURCE_EXHAUSTED and begin with `context over the limit`.
struct TreeLimits {
  int64_t max_entries = 500'000;
  // Components of a path, and bytes of a whole path.
  int max_depth = 100;
  int64_t max_path_bytes = 4096;
  // Bytes of a single file; one is held in memory while it is read.
  int64_t max_blob_bytes = int64_t{512} << 20;
  // Bytes of all files that the walk visits together.
  int64_t max_total_bytes = int64_t{16} << 30;
};

// What git records about an entry; git knows no owners, times or modes beyond this.
enum class EntryKind {
  kFile,
  kExecutable,
  kSymlink,
  kDirectory,
  // A commit of another repository. Its content is not here; the caller decides what that means.
  kSubmodule,
};

// One entry of a tree.
struct TreeEntry {
  // Relative to the context directory, `/` between components, no leading slash. Bytes as git has them.
  std::string path;
  EntryKind kind = EntryKind::kFile;
  // The blob's, tree's or (submodule) commit's id.
  ObjectId id;
  // Bytes of a file; bytes of the target of a symlink; 0 for directories and submodules.
  int64_t size = 0;
  // Where a symlink points, exactly as committed.
  std::string symlink_target;
};

// What a walk does with an entry.
enum class WalkDecision {
  kInclude,
  // Leaves the entry out; a directory's children are still visited.
  kSkip,
  // Leaves the entry out, and a directory's children with it.
  kSkipSubtree,
};

// Sees each entry before sizes and targets are looked up: the path relative to the context directory and the kind.
using WalkFilter = std::function<WalkDecision(absl::string_view path, EntryKind kind)>;

// The context directory of a commit.
class TreeReader {
 public:
  TreeReader(std::shared_ptr<const ObjectStore> store, ObjectId tree, TreeLimits limits);
  ~TreeReader();
  TreeReader(const TreeReader&) = delete;
  TreeReader& operator=(const TreeReader&) = delete;

  // The directory's own tree.
  const ObjectId& tree_id() const { return tree_; }

  // Lists what is under the directory in the order that BuildKit wants: component by component, bytewise, a directory
  // before its children. An empty filter includes everything. An included entry below a skipped (not pruned) directory
  // is listed without it. RESOURCE_EXHAUSTED over a limit; DATA_LOSS when the mirror lacks an object.
  absl::StatusOr<std::vector<TreeEntry>> Walk(const WalkFilter& filter) const;

  // Finds one entry; symlinks are not followed. NOT_FOUND: `PATH does not exist`.
  absl::StatusOr<TreeEntry> Find(absl::string_view path) const;

  // A blob's whole content. RESOURCE_EXHAUSTED over max_blob_bytes.
  absl::StatusOr<std::string> ReadBlob(const ObjectId& id) const;

  // Hands a blob's content to `sink` in pieces of at most `chunk_bytes`; stops with the sink's first error.
  absl::Status StreamBlob(const ObjectId& id, int64_t chunk_bytes,
                          const std::function<absl::Status(absl::string_view)>& sink) const;

 private:
  std::shared_ptr<const ObjectStore> store_;
  ObjectId tree_;
  TreeLimits limits_;
};

}  // namespace davit::git
