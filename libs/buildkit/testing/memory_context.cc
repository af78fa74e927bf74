// A context that lives in memory, for tests.
#include "libs/buildkit/testing/memory_context.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::buildkit {

bool MemoryContext::PathOrder::operator()(const std::string& a, const std::string& b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    // '/' comes before every byte of a name.
    const int left = x == '/' ? -1 : static_cast<unsigned char>(x);
    const int right = y == '/' ? -1 : static_cast<unsigned char>(y);
    return left < right;
  });
}

MemoryContext& MemoryContext::AddDirectory(const std::string& path) {
  if (path.empty() || items_.count(path) > 0) return *this;
  if (const size_t slash = path.rfind('/'); slash != std::string::npos) AddDirectory(path.substr(0, slash));
  ContextEntry entry;
  entry.path = path;
  entry.kind = EntryKind::kDirectory;
  entry.permissions = 0755;
  items_[path] = {entry, ""};
  return *this;
}

MemoryContext& MemoryContext::AddFile(const std::string& path, const std::string& content, uint32_t permissions) {
  if (const size_t slash = path.rfind('/'); slash != std::string::npos) AddDirectory(path.substr(0, slash));
  ContextEntry entry;
  entry.path = path;
  entry.permissions = permissions;
  entry.size = static_cast<int64_t>(content.size());
  entry.content_id = content;
  items_[path] = {entry, content};
  return *this;
}

MemoryContext& MemoryContext::AddLink(const std::string& path, const std::string& target) {
  if (const size_t slash = path.rfind('/'); slash != std::string::npos) AddDirectory(path.substr(0, slash));
  ContextEntry entry;
  entry.path = path;
  entry.kind = EntryKind::kSymlink;
  entry.permissions = 0777;
  entry.link_target = target;
  items_[path] = {entry, ""};
  return *this;
}

absl::StatusOr<std::vector<ContextEntry>> MemoryContext::Walk(const WalkFilter& filter) const {
  std::vector<ContextEntry> entries;
  std::string pruned;
  for (const auto& [path, item] : items_) {
    if (!pruned.empty() && absl::StartsWith(path, pruned)) continue;
    pruned.clear();
    switch (filter(path, item.entry.kind)) {
      case WalkDecision::kInclude:
        entries.push_back(item.entry);
        break;
      case WalkDecision::kSkip:
        break;
      case WalkDecision::kSkipSubtree:
        pruned = absl::StrCat(path, "/");
        break;
    }
  }
  return entries;
}

absl::StatusOr<ContextEntry> MemoryContext::Find(absl::string_view path) const {
  const auto it = items_.find(std::string(path));
  if (it == items_.end()) return absl::NotFoundError(absl::StrCat(path, " does not exist"));
  return it->second.entry;
}

absl::Status MemoryContext::ReadFile(const ContextEntry& file, const ContentVisitor& visit) const {
  return visit(items_.at(file.path).content);
}

}  // namespace davit::buildkit
