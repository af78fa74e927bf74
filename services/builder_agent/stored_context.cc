// A context whose contents lie in one file.
#include "services/builder_agent/stored_context.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/status/status_macros.h"

namespace davit::builder_agent {
namespace {

using buildkit::ContextEntry;
using buildkit::EntryKind;

constexpr size_t kPieceBytes = 256 << 10;
constexpr size_t kMaxPathBytes = 4096;

absl::Status OverLimit(int64_t limit, absl::string_view unit) {
  return absl::ResourceExhaustedError(absl::StrCat("context over the limit ", limit, " ", unit));
}

// Computes a SHA-256 over pieces.
class ContentHash {
 public:
  ContentHash() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  ~ContentHash() { EVP_MD_CTX_free(context_); }
  ContentHash(const ContentHash&) = delete;
  ContentHash& operator=(const ContentHash&) = delete;

  void Update(absl::string_view data) { EVP_DigestUpdate(context_, data.data(), data.size()); }

  std::string Finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_, digest, &size);
    return std::string(reinterpret_cast<const char*>(digest), size);
  }

 private:
  EVP_MD_CTX* const context_;
};

absl::Status WriteAll(int fd, int64_t offset, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t count = pwrite(fd, data.data(), data.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return absl::UnavailableError(absl::StrCat("Cannot store the context: ", strerror(errno)));
    offset += count;
    data.remove_prefix(count);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CleanContextPath(absl::string_view path) {
  const auto refused = [&] {
    return absl::InvalidArgumentError(absl::StrCat("path leaves the context: ", absl::CHexEscape(path.substr(0, 200))));
  };
  if (absl::StartsWith(path, "/") || path.find('\0') != absl::string_view::npos || path.size() > kMaxPathBytes)
    return refused();
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == "..") return refused();
    if (part != ".") parts.push_back(part);
  }
  return absl::StrJoin(parts, "/");
}

bool StoredContext::PathOrder::operator()(const std::string& a, const std::string& b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    // '/' comes before every byte of a name.
    const int left = x == '/' ? -1 : static_cast<unsigned char>(x);
    const int right = y == '/' ? -1 : static_cast<unsigned char>(y);
    return left < right;
  });
}

absl::StatusOr<std::unique_ptr<StoredContext>> StoredContext::Create(const std::string& data_path,
                                                                     ContextLimits limits) {
  const int fd = open(data_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return absl::UnavailableError(absl::StrCat("Cannot create ", data_path, ": ", strerror(errno)));
  return std::unique_ptr<StoredContext>(new StoredContext(data_path, fd, limits));
}

StoredContext::StoredContext(std::string data_path, int fd, ContextLimits limits)
    : data_path_(std::move(data_path)), fd_(fd), limits_(limits) {}

StoredContext::~StoredContext() {
  close(fd_);
  unlink(data_path_.c_str());
}

absl::Status StoredContext::Put(Item item) {
  const std::string path = item.entry.path;
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    Item& parent = items_[path.substr(0, slash)];
    if (parent.entry.path.empty()) {
      parent.entry.path = path.substr(0, slash);
      parent.entry.kind = EntryKind::kDirectory;
      parent.entry.permissions = 0755;
    } else if (parent.entry.kind != EntryKind::kDirectory) {
      return absl::InvalidArgumentError(absl::StrCat("path leaves the context: ", path, " lies below ",
                                                     parent.entry.path, ", which is no directory"));
    }
  }
  const auto existing = items_.find(path);
  if (existing != items_.end() &&
      (existing->second.entry.kind == EntryKind::kDirectory) != (item.entry.kind == EntryKind::kDirectory)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is both a directory and something else"));
  }
  items_[path] = std::move(item);
  if (static_cast<int64_t>(items_.size()) > limits_.max_entries) return OverLimit(limits_.max_entries, "entries");
  return absl::OkStatus();
}

absl::Status StoredContext::CheckRoom(int64_t size) const {
  return size > limits_.max_bytes - data_size_ ? OverLimit(limits_.max_bytes, "bytes") : absl::OkStatus();
}

absl::Status StoredContext::AddFile(absl::string_view path, uint32_t permissions, const ContentReader& reader) {
  Item item;
  DAVIT_ASSIGN_OR_RETURN(item.entry.path, CleanContextPath(path));
  if (item.entry.path.empty()) return absl::InvalidArgumentError("a file has no name");
  item.entry.permissions = permissions & 0777;
  item.data_offset = data_size_;
  ContentHash hash;
  std::string piece;
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const bool more, reader(piece));
    if (!more) break;
    DAVIT_RETURN_IF_ERROR(CheckRoom(static_cast<int64_t>(piece.size())));
    DAVIT_RETURN_IF_ERROR(WriteAll(fd_, data_size_, piece));
    hash.Update(piece);
    data_size_ += static_cast<int64_t>(piece.size());
  }
  item.entry.size = data_size_ - item.data_offset;
  item.entry.content_id = hash.Finish();
  return Put(std::move(item));
}

absl::Status StoredContext::AddDirectory(absl::string_view path, uint32_t permissions) {
  Item item;
  DAVIT_ASSIGN_OR_RETURN(item.entry.path, CleanContextPath(path));
  if (item.entry.path.empty()) return absl::OkStatus();
  item.entry.kind = EntryKind::kDirectory;
  item.entry.permissions = permissions & 0777;
  return Put(std::move(item));
}

absl::Status StoredContext::AddLink(absl::string_view path, absl::string_view target) {
  Item item;
  DAVIT_ASSIGN_OR_RETURN(item.entry.path, CleanContextPath(path));
  int depth = static_cast<int>(std::count(item.entry.path.begin(), item.entry.path.end(), '/'));
  bool leaves = absl::StartsWith(target, "/") || target.empty() || item.entry.path.empty();
  for (const absl::string_view part : absl::StrSplit(target, '/', absl::SkipEmpty())) {
    depth += part == ".." ? -1 : part == "." ? 0 : 1;
    leaves = leaves || depth < 0;
  }
  if (leaves) {
    return absl::InvalidArgumentError(
        absl::StrCat("path leaves the context: the link ", item.entry.path, " points to ", target));
  }
  item.entry.kind = EntryKind::kSymlink;
  item.entry.permissions = 0777;
  item.entry.link_target = std::string(target);
  return Put(std::move(item));
}

absl::Status StoredContext::AddHardLink(absl::string_view path, absl::string_view existing) {
  DAVIT_ASSIGN_OR_RETURN(const std::string target, CleanContextPath(existing));
  const auto it = items_.find(target);
  if (it == items_.end() || it->second.entry.kind != EntryKind::kFile) {
    return absl::InvalidArgumentError(
        absl::StrCat("the link ", path, " points to ", existing, ", which is no file before it"));
  }
  Item item = it->second;
  DAVIT_ASSIGN_OR_RETURN(item.entry.path, CleanContextPath(path));
  if (item.entry.path.empty()) return absl::InvalidArgumentError("a link has no name");
  return Put(std::move(item));
}

absl::StatusOr<std::vector<ContextEntry>> StoredContext::Walk(const buildkit::WalkFilter& filter) const {
  std::vector<ContextEntry> entries;
  std::string pruned;
  for (const auto& [path, item] : items_) {
    if (!pruned.empty() && absl::StartsWith(path, pruned)) continue;
    pruned.clear();
    switch (filter(path, item.entry.kind)) {
      case buildkit::WalkDecision::kInclude:
        entries.push_back(item.entry);
        break;
      case buildkit::WalkDecision::kSkip:
        break;
      case buildkit::WalkDecision::kSkipSubtree:
        pruned = absl::StrCat(path, "/");
        break;
    }
  }
  return entries;
}

absl::StatusOr<ContextEntry> StoredContext::Find(absl::string_view path) const {
  const auto it = items_.find(std::string(path));
  if (it == items_.end()) return absl::NotFoundError(absl::StrCat(path, " does not exist"));
  return it->second.entry;
}

absl::Status StoredContext::ReadFile(const ContextEntry& file, const buildkit::ContentVisitor& visit) const {
  const auto it = items_.find(file.path);
  if (it == items_.end()) return absl::NotFoundError(absl::StrCat(file.path, " does not exist"));
  const int64_t end = it->second.data_offset + it->second.entry.size;
  std::string piece;
  for (int64_t at = it->second.data_offset; at < end;) {
    piece.resize(std::min<int64_t>(kPieceBytes, end - at));
    const ssize_t count = pread(fd_, piece.data(), piece.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return absl::DataLossError(absl::StrCat("Cannot read the stored context: ", strerror(errno)));
    DAVIT_RETURN_IF_ERROR(visit(absl::string_view(piece.data(), count)));
    at += count;
  }
  return absl::OkStatus();
}

SubdirectoryContext::SubdirectoryContext(const buildkit::ContextSource& whole, absl::string_view directory)
    : whole_(whole), prefix_(absl::StrCat(directory, "/")) {}

absl::StatusOr<std::vector<ContextEntry>> SubdirectoryContext::Walk(const buildkit::WalkFilter& filter) const {
  DAVIT_ASSIGN_OR_RETURN(std::vector<ContextEntry> entries, whole_.Walk([&](absl::string_view path, EntryKind kind) {
    if (absl::StartsWith(path, prefix_)) return filter(path.substr(prefix_.size()), kind);
    return absl::StartsWith(prefix_, absl::StrCat(path, "/")) ? buildkit::WalkDecision::kSkip
                                                              : buildkit::WalkDecision::kSkipSubtree;
  }));
  for (ContextEntry& entry : entries) entry.path.erase(0, prefix_.size());
  return entries;
}

absl::StatusOr<ContextEntry> SubdirectoryContext::Find(absl::string_view path) const {
  DAVIT_ASSIGN_OR_RETURN(ContextEntry entry, whole_.Find(absl::StrCat(prefix_, path)));
  entry.path.erase(0, prefix_.size());
  return entry;
}

absl::Status SubdirectoryContext::ReadFile(const ContextEntry& file, const buildkit::ContentVisitor& visit) const {
  ContextEntry whole = file;
  whole.path.insert(0, prefix_);
  return whole_.ReadFile(whole, visit);
}

}  // namespace davit::builder_agent
