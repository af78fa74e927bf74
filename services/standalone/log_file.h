// The file that the services' log lines go to, with one predecessor kept when it grows too large. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace davit::standalone {

class LogFile {
 public:
  // Appends to the file at `path`, created 0600. When it is over `limit` bytes it is renamed to PATH.1, in the place of
  // the one before, and begun anew.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(std::string path, int64_t limit);

  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Appends a line. A line that cannot be written (disk full) is lost.
  void Write(const std::string& line);

 private:
  LogFile(std::string path, int64_t limit) : path_(std::move(path)), limit_(limit) {}
  absl::Status Reopen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const int64_t limit_;
  absl::Mutex mutex_;
  int fd_ ABSL_GUARDED_BY(mutex_) = -1;
  int64_t size_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace davit::standalone
