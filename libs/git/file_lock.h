// An advisory lock on a file (flock): it holds between threads and between processes, and ends with its holder.
// Not thread-safe itself; every holder has its own.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace davit::git {

enum class LockMode { kShared, kExclusive };

class FileLock {
 public:
  // Opens (creates) the file and waits for the lock.
  static absl::StatusOr<FileLock> Acquire(const std::string& path, LockMode mode);
  // The same without waiting: UNAVAILABLE when another holds it.
  static absl::StatusOr<FileLock> TryAcquire(const std::string& path, LockMode mode);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  static absl::StatusOr<FileLock> Lock(const std::string& path, int operation);

  int descriptor_;
};

}  // namespace davit::git
