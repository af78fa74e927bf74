// Implements object_store.h.
#include "libs/git/object_store.h"

#include <git2.h>
#include <git2/sys/odb_backend.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/git/libgit2.h"
#include "libs/git/object_parse.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

// About 5 MiB; a context of more files is cached in part.
constexpr size_t kMaxCachedSizes = 100'000;
// Tags of tags are legal; endless ones are not.
constexpr int kMaxTagDepth = 8;

git_oid ToOid(const ObjectId& id) {
  git_oid oid;
  std::memcpy(oid.id, id.bytes.data(), id.bytes.size());
  return oid;
}

git_object_t ToLibgit2(ObjectType type) {
  switch (type) {
    case ObjectType::kCommit:
      return GIT_OBJECT_COMMIT;
    case ObjectType::kTree:
      return GIT_OBJECT_TREE;
    case ObjectType::kTag:
      return GIT_OBJECT_TAG;
    case ObjectType::kBlob:
      break;
  }
  return GIT_OBJECT_BLOB;
}

class LibGit2PackWriter : public PackWriter {
 public:
  explicit LibGit2PackWriter(git_odb_writepack* writer) : writer_(writer) {}
  ~LibGit2PackWriter() override { writer_->free(writer_); }

  absl::Status Append(absl::string_view bytes) override {
    const int result = writer_->append(writer_, bytes.data(), bytes.size(), &progress_);
    return result < 0 ? FromLibgit2(result, "cannot take the pack in") : absl::OkStatus();
  }

  absl::Status Commit() override {
    const int result = writer_->commit(writer_, &progress_);
    if (result >= 0) return absl::OkStatus();
    // A missing base of a thin pack means that this mirror lacks what it said it had.
    const absl::Status status = FromLibgit2(result, "cannot take the pack in");
    return status.code() == absl::StatusCode::kNotFound ? absl::DataLossError(status.message()) : status;
  }

  int64_t received_objects() const override { return progress_.received_objects; }
  int64_t total_objects() const override { return progress_.total_objects; }

 private:
  git_odb_writepack* const writer_;
  git_indexer_progress progress_ = {};
};

}  // namespace

Object::Object(git_odb_object* object, ObjectType type) : object_(object), type_(type) {}
Object::Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)), type_(other.type_) {}
Object& Object::operator=(Object&& other) noexcept {
  std::swap(object_, other.object_);
  std::swap(type_, other.type_);
  return *this;
}
Object::~Object() { git_odb_object_free(object_); }

absl::string_view Object::data() const {
  return absl::string_view(static_cast<const char*>(git_odb_object_data(object_)), git_odb_object_size(object_));
}

void SizeCache::Find(std::vector<std::pair<ObjectId, int64_t>>* sizes) const {
  absl::MutexLock lock(&mutex_);
  for (auto& [id, size] : *sizes) {
    const auto found = sizes_.find(id);
    size = found == sizes_.end() ? -1 : found->second;
  }
}

void SizeCache::Insert(const std::vector<std::pair<ObjectId, int64_t>>& sizes) {
  absl::MutexLock lock(&mutex_);
  if (sizes_.size() + sizes.size() > kMaxCachedSizes) sizes_.clear();
  for (const auto& entry : sizes) {
    if (sizes_.size() < kMaxCachedSizes) sizes_.insert(entry);
  }
}

absl::StatusOr<std::unique_ptr<ObjectStore>> ObjectStore::Open(const std::string& objects_directory, FileLock pin,
                                                               std::shared_ptr<SizeCache> sizes) {
  InitializeLibgit2();
  git_odb* odb = nullptr;
  const int result = git_odb_open(&odb, objects_directory.c_str());
  if (result < 0) return FromLibgit2(result, "cannot open the mirror");
  return std::unique_ptr<ObjectStore>(new ObjectStore(odb, std::move(pin), std::move(sizes)));
}

ObjectStore::ObjectStore(git_odb* odb, FileLock pin, std::shared_ptr<SizeCache> sizes)
    : odb_(odb), pin_(std::move(pin)), sizes_(std::move(sizes)) {}

ObjectStore::~ObjectStore() { git_odb_free(odb_); }

absl::StatusOr<Object> ObjectStore::Read(const ObjectId& id, ObjectType type) const {
  git_odb_object* raw = nullptr;
  const git_oid oid = ToOid(id);
  const int result = git_odb_read(&raw, odb_, &oid);
  if (result < 0) return FromLibgit2(result, absl::StrCat("cannot read object ", id.Hex()));
  const git_object_t found = git_odb_object_type(raw);
  Object object(raw, type);
  if (found != ToLibgit2(type)) return absl::DataLossError(absl::StrCat("object ", id.Hex(), " is of another type"));
  return object;
}

absl::StatusOr<int64_t> ObjectStore::ReadSize(const ObjectId& id) const {
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  const git_oid oid = ToOid(id);
  const int result = git_odb_read_header(&size, &type, odb_, &oid);
  if (result < 0) return FromLibgit2(result, absl::StrCat("cannot read object ", id.Hex()));
  if (type != GIT_OBJECT_BLOB) return absl::DataLossError(absl::StrCat("object ", id.Hex(), " is no file"));
  return static_cast<int64_t>(size);
}

absl::StatusOr<CommitInfo> ObjectStore::ReadCommit(const ObjectId& id) const {
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  ObjectId current = id;
  for (int depth = 0; depth < kMaxTagDepth; ++depth) {
    const git_oid oid = ToOid(current);
    const int result = git_odb_read_header(&size, &type, odb_, &oid);
    if (result < 0) return FromLibgit2(result, absl::StrCat("cannot read object ", current.Hex()));
    if (type != GIT_OBJECT_TAG) break;
    DAVIT_ASSIGN_OR_RETURN(const Object tag, Read(current, ObjectType::kTag));
    DAVIT_ASSIGN_OR_RETURN(current, ParseTagTarget(tag.data()));
  }
  if (type != GIT_OBJECT_COMMIT) {
    return absl::InvalidArgumentError(absl::StrCat(id.Hex(), " is not a commit"));
  }
  DAVIT_ASSIGN_OR_RETURN(const Object commit, Read(current, ObjectType::kCommit));
  DAVIT_ASSIGN_OR_RETURN(CommitInfo info, ParseCommit(commit.data()));
  info.id = current;
  return info;
}

absl::StatusOr<std::vector<ObjectId>> ObjectStore::ReadParents(const ObjectId& commit) const {
  DAVIT_ASSIGN_OR_RETURN(const Object object, Read(commit, ObjectType::kCommit));
  return ParseParents(object.data());
}

absl::StatusOr<std::unique_ptr<PackWriter>> ObjectStore::NewPackWriter() {
  git_odb_writepack* writer = nullptr;
  const int result = git_odb_write_pack(&writer, odb_, nullptr, nullptr);
  if (result < 0) return FromLibgit2(result, "cannot take a pack in");
  return std::make_unique<LibGit2PackWriter>(writer);
}

}  // namespace davit::git
