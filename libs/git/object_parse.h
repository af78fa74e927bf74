// Reads git's tree and commit objects from their bytes: libgit2's own tree objects cost an allocation per entry, which
// a walk of many thousand entries feels. Pure functions; usable from any thread. Source: gitformat-pack(5), git's tree
// and commit formats.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/git/commit_tree.h"
#include "libs/git/object_id.h"
#include "libs/git/tree_reader.h"

namespace davit::git {

// One entry of a tree object. `name` points into the object's bytes.
struct RawTreeEntry {
  absl::string_view name;
  EntryKind kind;
  ObjectId id;
};

// All entries, in git's order. DATA_LOSS for malformed bytes and for names that no checkout could hold (`..`, with a
// slash, empty).
absl::StatusOr<std::vector<RawTreeEntry>> ParseTree(absl::string_view data);

// A commit's facts; `id` is left for the caller to set. DATA_LOSS for malformed bytes.
absl::StatusOr<CommitInfo> ParseCommit(absl::string_view data);
// A commit's parents.
absl::StatusOr<std::vector<ObjectId>> ParseParents(absl::string_view data);
// What an annotated tag points at.
absl::StatusOr<ObjectId> ParseTagTarget(absl::string_view data);

}  // namespace davit::git
