// Unpacks uploaded archives with libarchive, which never touches the file system here: entries go to a StoredContext.
#include "services/builder_agent/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/status/status_macros.h"

namespace davit::builder_agent {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
// Holes of sparse files are written out as zeros, in pieces of this size.
constexpr size_t kZeroPiece = 64 << 10;

// Reads one archive.
class ArchiveReader {
 public:
  ArchiveReader(const std::string& path, const std::function<bool()>& cancelled)
      : cancelled_(cancelled), archive_(archive_read_new()) {
    archive_read_support_format_tar(archive_);
    archive_read_support_format_gnutar(archive_);
    archive_read_support_format_zip(archive_);
    archive_read_support_filter_gzip(archive_);
    archive_read_support_filter_zstd(archive_);
    opened_ = archive_read_open_filename(archive_, path.c_str(), kBlockBytes) == ARCHIVE_OK;
  }
  ~ArchiveReader() { archive_read_free(archive_); }
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  absl::Status Unpack(StoredContext& context) {
    if (!opened_) return Unreadable();
    while (true) {
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(archive_, &entry);
      if (result == ARCHIVE_EOF) return absl::OkStatus();
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return Unreadable();
      if (cancelled_()) return absl::CancelledError("the build was stopped");
      DAVIT_RETURN_IF_ERROR(Add(entry, context));
    }
  }

 private:
  absl::Status Unreadable() const {
    const char* reason = archive_error_string(archive_);
    return absl::InvalidArgumentError(
        absl::StrCat("not a readable archive: ", reason == nullptr ? "unknown format" : reason));
  }

  absl::Status Add(archive_entry* entry, StoredContext& context) {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) return absl::InvalidArgumentError("not a readable archive: an entry has no name");
    const absl::string_view path(name);
    if (const char* existing = archive_entry_hardlink(entry); existing != nullptr)
      return context.AddHardLink(path, existing);
    const uint32_t permissions = archive_entry_perm(entry) & 0777;
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        if (archive_entry_size_is_set(entry)) DAVIT_RETURN_IF_ERROR(context.CheckRoom(archive_entry_size(entry)));
        written_ = 0;
        zeros_ = 0;
        block_ = {};
        return context.AddFile(path, permissions, [this](std::string& piece) { return NextPiece(piece); });
      case AE_IFDIR:
        return context.AddDirectory(path, permissions);
      case AE_IFLNK:
        return context.AddLink(path, archive_entry_symlink(entry) == nullptr ? "" : archive_entry_symlink(entry));
      default:
        return absl::InvalidArgumentError(absl::StrCat("the archive holds a device or another special file: ", path,
                                                       "; only files, directories and links can be built from"));
    }
  }

  // The next piece of the current file, holes as zeros.
  absl::StatusOr<bool> NextPiece(std::string& piece) {
    if (cancelled_()) return absl::CancelledError("the build was stopped");
    if (zeros_ == 0 && block_.empty()) {
      const void* data = nullptr;
      size_t size = 0;
      la_int64_t offset = 0;
      const int result = archive_read_data_block(archive_, &data, &size, &offset);
      if (result == ARCHIVE_EOF) return false;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return Unreadable();
      block_ = absl::string_view(static_cast<const char*>(data), size);
      if (offset < written_) return Unreadable();
      zeros_ = offset - written_;
    }
    if (zeros_ > 0) {
      piece.assign(static_cast<size_t>(std::min<int64_t>(zeros_, kZeroPiece)), '\0');
      zeros_ -= static_cast<int64_t>(piece.size());
    } else {
      piece.assign(block_.data(), block_.size());
      block_ = {};
    }
    written_ += static_cast<int64_t>(piece.size());
    return true;
  }

  const std::function<bool()>& cancelled_;
  struct archive* const archive_;
  bool opened_ = false;
  // Of the current file: how much was handed on, zeros that come before `block_`, and the block that libarchive gave.
  int64_t written_ = 0;
  int64_t zeros_ = 0;
  absl::string_view block_;
};

}  // namespace

absl::Status UnpackArchive(const std::string& archive_path, StoredContext& context,
                           const std::function<bool()>& cancelled) {
  return ArchiveReader(archive_path, cancelled).Unpack(context);
}

}  // namespace davit::builder_agent
