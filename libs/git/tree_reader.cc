// Implements tree_reader.h.
#include "libs/git/tree_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/git/object_parse.h"
#include "libs/git/object_store.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

absl::Status OverLimit(absl::string_view what) {
  return absl::ResourceExhaustedError(absl::StrCat("context over the limit: ", what));
}

// An object that a tree names and that is absent makes the mirror incomplete, whatever the reader's reason was.
absl::Status AsDataLoss(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound ? absl::DataLossError(status.message()) : status;
}

// One walk's state.
class Walker {
 public:
  Walker(const ObjectStore& store, const TreeLimits& limits, const WalkFilter& filter)
      : store_(store), limits_(limits), filter_(filter) {}

  absl::Status Visit(const ObjectId& tree, const std::string& prefix, int depth) {
    if (depth > limits_.max_depth) {
      return OverLimit(absl::StrCat("\"", prefix, "\" is deeper than ", limits_.max_depth, " directories"));
    }
    auto object = store_.Read(tree, ObjectType::kTree);
    if (!object.ok()) return AsDataLoss(object.status());
    DAVIT_ASSIGN_OR_RETURN(std::vector<RawTreeEntry> children, ParseTree(object->data()));
    // Git sorts a directory as if its name ended in a slash; BuildKit does not.
    std::sort(children.begin(), children.end(),
              [](const RawTreeEntry& a, const RawTreeEntry& b) { return a.name < b.name; });
    for (const RawTreeEntry& child : children) DAVIT_RETURN_IF_ERROR(VisitChild(child, prefix, depth));
    return absl::OkStatus();
  }

  // Looks up what the tree objects do not say: sizes and targets.
  absl::Status Complete() {
    std::vector<std::pair<ObjectId, int64_t>> sizes;
    for (const TreeEntry& entry : entries_) {
      if (NeedsSize(entry)) sizes.emplace_back(entry.id, -1);
    }
    store_.sizes().Find(&sizes);
    std::vector<std::pair<ObjectId, int64_t>> learned;
    size_t next = 0;
    int64_t total = 0;
    for (TreeEntry& entry : entries_) {
      if (entry.kind == EntryKind::kSymlink) DAVIT_RETURN_IF_ERROR(ReadTarget(&entry));
      if (!NeedsSize(entry)) continue;
      entry.size = sizes[next++].second;
      if (entry.size < 0) {
        auto size = store_.ReadSize(entry.id);
        if (!size.ok()) return AsDataLoss(size.status());
        entry.size = *size;
        learned.emplace_back(entry.id, entry.size);
      }
      total += entry.size;
      if (entry.size > limits_.max_blob_bytes) {
        return OverLimit(
            absl::StrCat("\"", entry.path, "\" has ", entry.size, " bytes, over ", limits_.max_blob_bytes));
      }
      if (total > limits_.max_total_bytes) {
        return OverLimit(absl::StrCat("its files have more than ", limits_.max_total_bytes, " bytes"));
      }
    }
    store_.sizes().Insert(learned);
    return absl::OkStatus();
  }

  std::vector<TreeEntry> TakeEntries() { return std::move(entries_); }

 private:
  static bool NeedsSize(const TreeEntry& entry) {
    return entry.kind == EntryKind::kFile || entry.kind == EntryKind::kExecutable;
  }

  absl::Status VisitChild(const RawTreeEntry& child, const std::string& prefix, int depth) {
    if (++visited_ > limits_.max_entries) {
      return OverLimit(absl::StrCat("it has more than ", limits_.max_entries, " entries"));
    }
    std::string path = prefix.empty() ? std::string(child.name) : absl::StrCat(prefix, "/", child.name);
    if (static_cast<int64_t>(path.size()) > limits_.max_path_bytes) {
      return OverLimit(absl::StrCat("a path under \"", prefix.substr(0, 200), "\" is longer than ",
                                    limits_.max_path_bytes, " bytes"));
    }
    const WalkDecision decision = filter_ ? filter_(path, child.kind) : WalkDecision::kInclude;
    if (decision == WalkDecision::kInclude) {
      TreeEntry entry;
      entry.path = path;
      entry.kind = child.kind;
      entry.id = child.id;
      entries_.push_back(std::move(entry));
    }
    if (child.kind == EntryKind::kDirectory && decision != WalkDecision::kSkipSubtree) {
      return Visit(child.id, path, depth + 1);
    }
    return absl::OkStatus();
  }

  absl::Status ReadTarget(TreeEntry* entry) const {
    auto target = store_.Read(entry->id, ObjectType::kBlob);
    if (!target.ok()) return AsDataLoss(target.status());
    if (static_cast<int64_t>(target->data().size()) > limits_.max_path_bytes) {
      return OverLimit(absl::StrCat("the target of the symlink \"", entry->path, "\" is longer than ",
                                    limits_.max_path_bytes, " bytes"));
    }
    entry->symlink_target = std::string(target->data());
    entry->size = static_cast<int64_t>(entry->symlink_target.size());
    return absl::OkStatus();
  }

  const ObjectStore& store_;
  const TreeLimits& limits_;
  const WalkFilter& filter_;
  std::vector<TreeEntry> entries_;
  int64_t visited_ = 0;
};

}  // namespace

TreeReader::TreeReader(std::shared_ptr<const ObjectStore> store, ObjectId tree, TreeLimits limits)
    : store_(std::move(store)), tree_(tree), limits_(limits) {}

TreeReader::~TreeReader() = default;

absl::StatusOr<std::vector<TreeEntry>> TreeReader::Walk(const WalkFilter& filter) const {
  Walker walker(*store_, limits_, filter);
  DAVIT_RETURN_IF_ERROR(walker.Visit(tree_, "", 1));
  DAVIT_RETURN_IF_ERROR(walker.Complete());
  return walker.TakeEntries();
}

absl::StatusOr<TreeEntry> TreeReader::Find(absl::string_view path) const {
  TreeEntry found;
  found.id = tree_;
  found.kind = EntryKind::kDirectory;
  for (const absl::string_view component : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (found.kind != EntryKind::kDirectory) return absl::NotFoundError(absl::StrCat(path, " does not exist"));
    auto object = store_->Read(found.id, ObjectType::kTree);
    if (!object.ok()) return AsDataLoss(object.status());
    DAVIT_ASSIGN_OR_RETURN(const std::vector<RawTreeEntry> children, ParseTree(object->data()));
    const auto child = std::find_if(children.begin(), children.end(),
                                    [&component](const RawTreeEntry& entry) { return entry.name == component; });
    if (child == children.end()) return absl::NotFoundError(absl::StrCat(path, " does not exist"));
    found.id = child->id;
    found.kind = child->kind;
  }
  found.path = std::string(path);
  if (found.kind == EntryKind::kSymlink) {
    DAVIT_ASSIGN_OR_RETURN(found.symlink_target, ReadBlob(found.id));
    found.size = static_cast<int64_t>(found.symlink_target.size());
  } else if (found.kind == EntryKind::kFile || found.kind == EntryKind::kExecutable) {
    auto size = store_->ReadSize(found.id);
    if (!size.ok()) return AsDataLoss(size.status());
    found.size = *size;
  }
  return found;
}

absl::Status TreeReader::StreamBlob(const ObjectId& id, int64_t chunk_bytes,
                                    const std::function<absl::Status(absl::string_view)>& sink) const {
  auto size = store_->ReadSize(id);
  if (!size.ok()) return AsDataLoss(size.status());
  if (*size > limits_.max_blob_bytes) {
    return OverLimit(absl::StrCat("a file has ", *size, " bytes, over ", limits_.max_blob_bytes));
  }
  auto object = store_->Read(id, ObjectType::kBlob);
  if (!object.ok()) return AsDataLoss(object.status());
  for (absl::string_view rest = object->data(); !rest.empty();) {
    const absl::string_view chunk = rest.substr(0, static_cast<size_t>(chunk_bytes));
    DAVIT_RETURN_IF_ERROR(sink(chunk));
    rest.remove_prefix(chunk.size());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> TreeReader::ReadBlob(const ObjectId& id) const {
  std::string content;
  DAVIT_RETURN_IF_ERROR(StreamBlob(id, limits_.max_blob_bytes, [&content](absl::string_view bytes) {
    content.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }));
  return content;
}

}  // namespace davit::git
