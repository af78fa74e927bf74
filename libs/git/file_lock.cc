// Implements file_lock.h.
#include "libs/git/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace davit::git {

absl::StatusOr<FileLock> FileLock::Lock(const std::string& path, int operation) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open the lock ", path));
  FileLock lock(descriptor);
  int result;
  do {
    result = ::flock(descriptor, operation);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return lock;
  if (errno == EWOULDBLOCK) return absl::UnavailableError(absl::StrCat(path, " is locked"));
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", path));
}

absl::StatusOr<FileLock> FileLock::Acquire(const std::string& path, LockMode mode) {
  return Lock(path, mode == LockMode::kShared ? LOCK_SH : LOCK_EX);
}

absl::StatusOr<FileLock> FileLock::TryAcquire(const std::string& path, LockMode mode) {
  return Lock(path, (mode == LockMode::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace davit::git
