// Implements the log file.
#include "services/standalone/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"

namespace davit::standalone {

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(std::string path, int64_t limit) {
  std::unique_ptr<LogFile> file(new LogFile(std::move(path), limit));
  absl::MutexLock lock(&file->mutex_);
  DAVIT_RETURN_IF_ERROR(file->Reopen());
  return file;
}

LogFile::~LogFile() {
  absl::MutexLock lock(&mutex_);
  if (fd_ >= 0) close(fd_);
}

absl::Status LogFile::Reopen() {
  if (fd_ >= 0) close(fd_);
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct stat info = {};
  if (fd_ < 0 || fstat(fd_, &info) != 0) {
    return absl::InternalError(absl::StrCat("opening ", path_, ": ", strerror(errno)));
  }
  size_ = info.st_size;
  return absl::OkStatus();
}

void LogFile::Write(const std::string& line) {
  absl::MutexLock lock(&mutex_);
  if (size_ > limit_ && rename(path_.c_str(), absl::StrCat(path_, ".1").c_str()) == 0 && !Reopen().ok()) return;
  const std::string text = line + "\n";
  // One write a line: whole lines, also when several processes append.
  const ssize_t written = write(fd_, text.data(), text.size());
  if (written > 0) size_ += written;
}

}  // namespace davit::standalone
