// Implements upload.h over libarchive.
#include "services/cli/upload.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"
#include "services/cli/arguments.h"

namespace davit::cli {
namespace {

namespace fs = std::filesystem;

// A file descriptor that is closed.
class File {
 public:
  explicit File(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }

  // Reads up to `size` bytes; 0 at the end.
  absl::StatusOr<size_t> Read(char* to, size_t size) {
    while (true) {
      const ssize_t got = read(descriptor_, to, size);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return absl::ErrnoToStatus(errno, "read");
    }
  }

 private:
  const int descriptor_;
};

absl::Status CannotRead(absl::string_view path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot read ", path));
}

// Gathers what libarchive writes into pieces for the sink. The first error stays.
struct Pieces {
  const PieceSink& sink;
  std::string pending;
  absl::Status status;

  void Add(absl::string_view data) {
    while (!data.empty() && status.ok()) {
      const size_t room = std::min(data.size(), kMaxPiece - pending.size());
      pending.append(data.data(), room);
      data.remove_prefix(room);
      if (pending.size() == kMaxPiece) Flush();
    }
  }

  void Flush() {
    if (!pending.empty() && status.ok()) status = sink(pending);
    pending.clear();
  }
};

la_ssize_t WritePieces(struct archive* archive, void* pieces, const void* data, size_t size) {
  auto* to = static_cast<Pieces*>(pieces);
  to->Add({static_cast<const char*>(data), size});
  if (to->status.ok()) return static_cast<la_ssize_t>(size);
  archive_set_error(archive, EIO, "the upload ended");
  return -1;
}

struct ArchiveDeleter {
  void operator()(struct archive* archive) const { archive_write_free(archive); }
};
struct EntryDeleter {
  void operator()(struct archive_entry* entry) const { archive_entry_free(entry); }
};

// Writes one directory tree into an archive.
class TreeWriter {
 public:
  TreeWriter(struct archive* archive, const Pieces& pieces) : archive_(archive), pieces_(pieces), buffer_(64 << 10) {}

  // Writes what is in the directory; `prefix` is its name in the archive, with "/" at the end, or empty for the root.
  absl::Status WriteChildren(const fs::path& directory, const std::string& prefix) {
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return CannotRead(directory.string(), error.value());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (name == ".git") continue;
      DAVIT_RETURN_IF_ERROR(WriteEntry((directory / name).string(), absl::StrCat(prefix, name)));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status WriteEntry(const std::string& path, const std::string& name) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return CannotRead(path, errno);
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && !S_ISLNK(info.st_mode)) return absl::OkStatus();
    const std::unique_ptr<struct archive_entry, EntryDeleter> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), info.st_mode & S_IFMT);
    archive_entry_set_perm(entry.get(), info.st_mode & 07777);
    archive_entry_set_mtime(entry.get(), info.st_mtim.tv_sec, 0);
    archive_entry_set_size(entry.get(), S_ISREG(info.st_mode) ? info.st_size : 0);
    if (S_ISLNK(info.st_mode)) {
      std::error_code error;
      const std::string target = fs::read_symlink(path, error).string();
      if (error) return CannotRead(path, error.value());
      archive_entry_set_symlink(entry.get(), target.c_str());
    }
    DAVIT_RETURN_IF_ERROR(Check(archive_write_header(archive_, entry.get()), path));
    if (S_ISREG(info.st_mode)) return WriteData(path, info.st_size);
    if (S_ISDIR(info.st_mode)) return WriteChildren(path, name + "/");
    return absl::OkStatus();
  }

  absl::Status WriteData(const std::string& path, int64_t size) {
    File file(path);
    if (!file.is_open()) return CannotRead(path, errno);
    for (int64_t left = size; left > 0;) {
      DAVIT_ASSIGN_OR_RETURN(const size_t got, file.Read(buffer_.data(), std::min<size_t>(buffer_.size(), left)));
      if (got == 0) return absl::AbortedError(absl::StrCat(path, " became shorter while it was being read"));
      if (archive_write_data(archive_, buffer_.data(), got) < 0) return Check(ARCHIVE_FATAL, path);
      left -= static_cast<int64_t>(got);
    }
    return absl::OkStatus();
  }

  absl::Status Check(int code, absl::string_view path) {
    if (!pieces_.status.ok()) return pieces_.status;
    if (code >= ARCHIVE_WARN) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("cannot archive ", path, ": ", archive_error_string(archive_)));
  }

  struct archive* const archive_;
  const Pieces& pieces_;
  std::vector<char> buffer_;
};

}  // namespace

absl::StatusOr<UploadKind> RecogniseUpload(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return UploadKind::kDirectory;
  File file(path);
  if (!file.is_open()) return CannotRead(path, errno);
  std::string head(512, '\0');
  size_t size = 0;
  while (size < head.size()) {
    DAVIT_ASSIGN_OR_RETURN(const size_t got, file.Read(head.data() + size, head.size() - size));
    if (got == 0) break;
    size += got;
  }
  head.resize(size);
  if (absl::StartsWith(head, "PK\x03\x04")) return UploadKind::kZip;
  if (absl::StartsWith(head, "\x1f\x8b") || absl::StartsWith(head, "\x28\xb5\x2f\xfd")) return UploadKind::kTar;
  if (head.size() == 512 && head.compare(257, 5, "ustar") == 0) return UploadKind::kTar;
  return UsageError(absl::StrCat(
      path, " is neither a directory nor a tar (plain, gzip, zstd) or zip archive; to build a Dockerfile alone use -f ",
      path));
}

absl::Status SendFile(const std::string& path, const PieceSink& sink) {
  File file(path);
  if (!file.is_open()) return CannotRead(path, errno);
  std::vector<char> buffer(kMaxPiece);
  while (true) {
    absl::StatusOr<size_t> got = file.Read(buffer.data(), buffer.size());
    if (!got.ok())
      return absl::Status(got.status().code(), absl::StrCat("cannot read ", path, ": ", got.status().message()));
    if (*got == 0) return absl::OkStatus();
    DAVIT_RETURN_IF_ERROR(sink(absl::string_view(buffer.data(), *got)));
  }
}

absl::Status SendDirectory(const std::string& path, const PieceSink& sink) {
  Pieces pieces{sink, {}, {}};
  const std::unique_ptr<struct archive, ArchiveDeleter> archive(archive_write_new());
  archive_write_set_format_pax_restricted(archive.get());
  // Names are bytes: without this, what the locale cannot express would be refused.
  archive_write_set_options(archive.get(), "hdrcharset=BINARY");
  archive_write_set_bytes_in_last_block(archive.get(), 1);
  if (archive_write_open(archive.get(), &pieces, nullptr, WritePieces, nullptr) != ARCHIVE_OK) {
    return absl::InternalError(absl::StrCat("cannot begin an archive: ", archive_error_string(archive.get())));
  }
  DAVIT_RETURN_IF_ERROR(TreeWriter(archive.get(), pieces).WriteChildren(path, ""));
  archive_write_close(archive.get());
  pieces.Flush();
  return pieces.status;
}

}  // namespace davit::cli
