// A context whose contents lie in one file: an unpacked upload. Filled by one thread, then immutable and usable from
// any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "libs/buildkit/context_source.h"

namespace davit::builder_agent {

// What an upload may expand to.
struct ContextLimits {
  // Bytes of all files together.
  int64_t max_bytes = int64_t{2} << 30;
  // Files, directories and links.
  int64_t max_entries = 200'000;
};

// Entries in memory, contents one after the other in a data file. No path of the upload ever becomes a path of this
// machine's file system, so that none can lead anywhere. Paths are checked when they are added; errors are
// INVALID_ARGUMENT with the path.
class StoredContext final : public buildkit::ContextSource {
 public:
  // Contents go to `data_path`, readable by its owner only; the file is deleted with the context.
  static absl::StatusOr<std::unique_ptr<StoredContext>> Create(const std::string& data_path, ContextLimits limits);
  ~StoredContext() override;

  // RESOURCE_EXHAUSTED `context over the limit …` when a file of `size` bytes does not fit any more.
  absl::Status CheckRoom(int64_t size) const;

  // Reads the next piece of a content into its argument; false at the end.
  using ContentReader = std::function<absl::StatusOr<bool>(std::string& piece)>;

  // Adds a file; one of the same path is replaced, as when unpacking. RESOURCE_EXHAUSTED `context over the limit …`.
  absl::Status AddFile(absl::string_view path, uint32_t permissions, const ContentReader& reader);
  // Adds a directory; those that lead to an entry are added by themselves.
  absl::Status AddDirectory(absl::string_view path, uint32_t permissions);
  // Adds a symbolic link, whose target must stay inside.
  absl::Status AddLink(absl::string_view path, absl::string_view target);
  // Adds another name for a file that was added before.
  absl::Status AddHardLink(absl::string_view path, absl::string_view existing);

  absl::StatusOr<std::vector<buildkit::ContextEntry>> Walk(const buildkit::WalkFilter& filter) const override;
  absl::StatusOr<buildkit::ContextEntry> Find(absl::string_view path) const override;
  absl::Status ReadFile(const buildkit::ContextEntry& file, const buildkit::ContentVisitor& visit) const override;

 private:
  // Orders paths part by part, as BuildKit wants them.
  struct PathOrder {
    bool operator()(const std::string& a, const std::string& b) const;
  };
  struct Item {
    buildkit::ContextEntry entry;
    int64_t data_offset = 0;
  };

  StoredContext(std::string data_path, int fd, ContextLimits limits);

  // Puts an item at a checked path, with the directories that lead to it.
  absl::Status Put(Item item);

  const std::string data_path_;
  const int fd_;
  const ContextLimits limits_;
  int64_t data_size_ = 0;
  std::map<std::string, Item, PathOrder> items_;
};

// A directory of another source as a context of its own. The other must outlive it.
class SubdirectoryContext final : public buildkit::ContextSource {
 public:
  // `directory` is a clean path without a leading or trailing slash.
  SubdirectoryContext(const buildkit::ContextSource& whole, absl::string_view directory);

  absl::StatusOr<std::vector<buildkit::ContextEntry>> Walk(const buildkit::WalkFilter& filter) const override;
  absl::StatusOr<buildkit::ContextEntry> Find(absl::string_view path) const override;
  absl::Status ReadFile(const buildkit::ContextEntry& file, const buildkit::ContentVisitor& visit) const override;

 private:
  const buildkit::ContextSource& whole_;
  const std::string prefix_;  // With a slash at the end.
};

// The path without "." parts, doubled and trailing slashes; "" is the root. INVALID_ARGUMENT `path leaves the context:
// …` for absolute paths, "..", and paths with a NUL.
absl::StatusOr<std::string> CleanContextPath(absl::string_view path);

}  // namespace davit::builder_agent
