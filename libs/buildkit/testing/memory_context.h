// A context that lives in memory, for tests. Immutable after it is filled; then usable from any thread.
#pragma once

#include <map>
#include <string>

#include "libs/buildkit/context_source.h"

namespace davit::buildkit {

// Entries by path; the directories that lead to an entry are added with it.
class MemoryContext final : public ContextSource {
 public:
  // Adds a file with its content.
  MemoryContext& AddFile(const std::string& path, const std::string& content, uint32_t permissions = 0644);
  // Adds a symbolic link.
  MemoryContext& AddLink(const std::string& path, const std::string& target);
  // Adds a directory.
  MemoryContext& AddDirectory(const std::string& path);

  absl::StatusOr<std::vector<ContextEntry>> Walk(const WalkFilter& filter) const override;
  absl::StatusOr<ContextEntry> Find(absl::string_view path) const override;
  absl::Status ReadFile(const ContextEntry& file, const ContentVisitor& visit) const override;

 private:
  // Orders paths part by part, as BuildKit wants them.
  struct PathOrder {
    bool operator()(const std::string& a, const std::string& b) const;
  };
  struct Item {
    ContextEntry entry;
    std::string content;
  };

  std::map<std::string, Item, PathOrder> items_;
};

}  // namespace davit::buildkit
