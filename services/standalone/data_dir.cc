// Implements the data directory.
#include "services/standalone/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/status/status_macros.h"

namespace davit::standalone {
namespace {

// A unix socket's path holds 107 bytes; the longest below a data directory is
// run/docker/containerd/containerd-debug.sock.
constexpr size_t kMaxPath = 107 - sizeof("/run/docker/containerd/containerd-debug.sock");

absl::Status ErrnoStatus(absl::string_view doing, absl::string_view path) {
  return absl::InternalError(absl::StrCat(doing, " ", path, ": ", strerror(errno)));
}

absl::Status CreateDirectory(const std::string& path, int mode) {
  if (mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0 || errno == EEXIST) return absl::OkStatus();
  return ErrnoStatus("creating", path);
}

absl::Status CreateWithParents(const std::string& path, int mode) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    DAVIT_RETURN_IF_ERROR(CreateDirectory(path.substr(0, slash), 0755));
  }
  return CreateDirectory(path, mode);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDir>> DataDir::Open(absl::string_view path_view) {
  while (path_view.size() > 1 && path_view.back() == '/') path_view.remove_suffix(1);
  const std::string path(path_view);
  if (path.size() < 2 || path[0] != '/') {
    return absl::InvalidArgumentError("data_dir: must be an absolute path, for example /var/lib/davit");
  }
  if (path.size() > kMaxPath) {
    return absl::InvalidArgumentError(absl::StrCat("data_dir: longer than ", kMaxPath,
                                                   " bytes, too long for the sockets below it; use a shorter path"));
  }
  // 0711: PostgreSQL and the registry run as other users and must reach their own directories.
  DAVIT_RETURN_IF_ERROR(CreateWithParents(path, 0711));
  const std::string lock_path = path + "/lock";
  int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return ErrnoStatus("opening", lock_path);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    ssize_t got = read(lock, holder, sizeof holder - 1);
    close(lock);
    return absl::FailedPreconditionError(absl::StrCat("data_dir ", path, " is in use by process ",
                                                      got > 0 ? absl::StripAsciiWhitespace(holder) : "?",
                                                      "; stop it or choose another directory"));
  }
  std::unique_ptr<DataDir> data_dir(new DataDir(path, lock));
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) < 0) return ErrnoStatus("writing", lock_path);
  for (const auto& [name, mode] : {std::pair<const char*, int>{"secrets", 0700}, {"run", 0711}, {"log", 0700}}) {
    DAVIT_RETURN_IF_ERROR(data_dir->MakeDirectory(name, mode, nullptr).status());
  }
  return data_dir;
}

DataDir::~DataDir() { close(lock_); }

std::string DataDir::Below(absl::string_view relative) const { return absl::StrCat(path_, "/", relative); }
std::string DataDir::SecretPath(absl::string_view name) const { return absl::StrCat(path_, "/secrets/", name); }
std::string DataDir::LogPath(absl::string_view name) const { return absl::StrCat(path_, "/log/", name, ".log"); }
std::string DataDir::PidRecordPath(absl::string_view engine) const {
  return absl::StrCat(path_, "/run/", engine, ".process");
}

absl::StatusOr<std::string> DataDir::MakeDirectory(absl::string_view relative, int mode,
                                                   const process::Credentials* owner) const {
  const std::string path = Below(relative);
  DAVIT_RETURN_IF_ERROR(CreateDirectory(path, mode));
  if (owner != nullptr && chown(path.c_str(), owner->uid, owner->gid) != 0) return ErrnoStatus("giving away", path);
  if (chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return ErrnoStatus("setting the mode of", path);
  return path;
}

absl::StatusOr<std::string> DataDir::ReadOrCreateSecret(absl::string_view name,
                                                        const std::function<std::string()>& make) const {
  const std::string path = SecretPath(name);
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!absl::IsNotFound(text.status())) return text;
  std::string made = make();
  DAVIT_RETURN_IF_ERROR(WriteFile(path, made, 0600, nullptr));
  return made;
}

absl::Status WriteFile(const std::string& path, absl::string_view content, int mode,
                       const process::Credentials* owner) {
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus("creating", temporary);
  absl::Status status;
  while (!content.empty() && status.ok()) {
    ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno != EINTR) status = ErrnoStatus("writing", temporary);
    if (written > 0) content.remove_prefix(static_cast<size_t>(written));
  }
  if (status.ok() && owner != nullptr && fchown(fd, owner->uid, owner->gid) != 0) {
    status = ErrnoStatus("giving away", temporary);
  }
  if (status.ok() && (fchmod(fd, static_cast<mode_t>(mode)) != 0 || fsync(fd) != 0)) {
    status = ErrnoStatus("finishing", temporary);
  }
  close(fd);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) status = ErrnoStatus("renaming to", path);
  return status;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    absl::Status status = ErrnoStatus("opening", path);
    return errno == ENOENT ? absl::NotFoundError(status.message()) : status;
  }
  std::string text;
  char buffer[16 * 1024];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)) {
    if (got > 0) text.append(buffer, static_cast<size_t>(got));
  }
  absl::Status status = got < 0 ? ErrnoStatus("reading", path) : absl::OkStatus();
  close(fd);
  if (!status.ok()) return status;
  return text;
}

std::string LastLines(const std::string& path, int lines) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return "";
  std::vector<std::string> all = absl::StrSplit(absl::StripTrailingAsciiWhitespace(*text), '\n');
  const size_t kept = std::min(all.size(), static_cast<size_t>(lines));
  return absl::StrJoin(all.end() - static_cast<ptrdiff_t>(kept), all.end(), "\n");
}

}  // namespace davit::standalone
