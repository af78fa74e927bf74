// Objects of one mirror, over libgit2's object database: reads them, takes packs in. Thread-safe for reading; one
// thread at a time takes a pack in. Holds the mirror's pin: while a store lives, nobody deletes or rewrites the
// mirror's files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "libs/git/commit_tree.h"
#include "libs/git/fetch_control.h"
#include "libs/git/file_lock.h"
#include "libs/git/object_id.h"

struct git_odb;
struct git_odb_object;

namespace davit::git {

enum class ObjectType { kCommit, kTree, kBlob, kTag };

// An object in memory. Move-only; keeps its bytes alive.
class Object {
 public:
  Object(git_odb_object* object, ObjectType type);
  Object(Object&& other) noexcept;
  Object& operator=(Object&& other) noexcept;
  ~Object();

  ObjectType type() const { return type_; }
  absl::string_view data() const;

 private:
  git_odb_object* object_;
  ObjectType type_;
};

// A pack on its way in; it counts only once Commit has succeeded. Destroyed before that it leaves nothing behind.
class PackWriter {
 public:
  virtual ~PackWriter() = default;
  // Takes the next bytes. DATA_LOSS when they are not a pack.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Checks every object's hash, completes a thin pack from what is here and makes the pack visible.
  virtual absl::Status Commit() = 0;
  // Objects received so far, and announced.
  virtual int64_t received_objects() const = 0;
  virtual int64_t total_objects() const = 0;
};

// Sizes of blobs that were looked up before: a size costs a partial inflation. Shared by all stores of a mirror;
// thread-safe.
class SizeCache {
 public:
  // Fills in the size of each id that is known, -1 for the others.
  void Find(std::vector<std::pair<ObjectId, int64_t>>* sizes) const;
  void Insert(const std::vector<std::pair<ObjectId, int64_t>>& sizes);

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<ObjectId, int64_t> sizes_ ABSL_GUARDED_BY(mutex_);
};

class ObjectStore {
 public:
  // Opens the objects directory of a mirror.
  static absl::StatusOr<std::unique_ptr<ObjectStore>> Open(const std::string& objects_directory, FileLock pin,
                                                           std::shared_ptr<SizeCache> sizes);
  ~ObjectStore();
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  // NOT_FOUND when it is not here, DATA_LOSS when it cannot be read or is of another type.
  absl::StatusOr<Object> Read(const ObjectId& id, ObjectType type) const;
  // The size of a blob without reading it. NOT_FOUND, DATA_LOSS as above.
  absl::StatusOr<int64_t> ReadSize(const ObjectId& id) const;

  // Reads a commit, following an annotated tag to it.
  absl::StatusOr<CommitInfo> ReadCommit(const ObjectId& id) const;
  absl::StatusOr<std::vector<ObjectId>> ReadParents(const ObjectId& commit) const;

  // Starts to take a pack in.
  absl::StatusOr<std::unique_ptr<PackWriter>> NewPackWriter();

  SizeCache& sizes() const { return *sizes_; }

 private:
  ObjectStore(git_odb* odb, FileLock pin, std::shared_ptr<SizeCache> sizes);

  git_odb* const odb_;
  const FileLock pin_;
  const std::shared_ptr<SizeCache> sizes_;
};

}  // namespace davit::git
