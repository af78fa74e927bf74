// A build's log on disk until the scheduler has it.
#include "services/builder_agent/log_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace davit::builder_agent {

absl::StatusOr<std::unique_ptr<LogSpool>> LogSpool::Create(const std::string& path, int64_t limit) {
  if (limit <= kNoteRoom) {
    return absl::InvalidArgumentError(absl::StrCat("log limit of ", limit, " bytes: it must be over ", kNoteRoom));
  }
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return absl::UnavailableError(absl::StrCat("Cannot create ", path, ": ", strerror(errno)));
  return std::unique_ptr<LogSpool>(new LogSpool(path, fd, limit));
}

LogSpool::LogSpool(std::string path, int fd, int64_t limit) : path_(std::move(path)), fd_(fd), limit_(limit) {}

LogSpool::~LogSpool() {
  close(fd_);
  unlink(path_.c_str());
}

void LogSpool::Append(absl::string_view data) {
  while (!data.empty() && !broken_) {
    const ssize_t count = pwrite(fd_, data.data(), data.size(), size_);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      // A full disk: the log ends here, and the build goes on.
      broken_ = true;
      return;
    }
    size_ += count;
    data.remove_prefix(count);
  }
}

void LogSpool::BeginDropping() {
  dropping_ = true;
  Append(absl::StrCat("\n[davit] the log is over its limit of ", limit_, " bytes: output is dropped from here on\n"));
}

void LogSpool::AppendOutput(absl::string_view data) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return;
  if (!dropping_) {
    const size_t room = static_cast<size_t>(std::max<int64_t>(0, limit_ - kNoteRoom - size_));
    Append(data.substr(0, room));
    if (data.size() <= room) return;
    data.remove_prefix(room);
    BeginDropping();
  }
  dropped_ += static_cast<int64_t>(data.size());
}

void LogSpool::AppendNote(absl::string_view data) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return;
  if (dropped_ > 0)
    Append(absl::StrCat("[davit] ", std::exchange(dropped_, 0), " bytes of output were dropped here\n"));
  Append(data.substr(0, static_cast<size_t>(std::max<int64_t>(0, limit_ - size_))));
}

void LogSpool::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

absl::StatusOr<std::string> LogSpool::Read(int64_t offset, size_t max_bytes) const {
  int64_t available = 0;
  {
    absl::MutexLock lock(&mutex_);
    available = size_ - offset;
  }
  if (available <= 0) return std::string();
  std::string data(std::min<size_t>(max_bytes, static_cast<size_t>(available)), '\0');
  size_t filled = 0;
  while (filled < data.size()) {
    const ssize_t count = pread(fd_, data.data() + filled, data.size() - filled, offset + static_cast<int64_t>(filled));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return absl::DataLossError(absl::StrCat("Cannot read the log's spool: ", strerror(errno)));
    filled += count;
  }
  return data;
}

int64_t LogSpool::size() const {
  absl::MutexLock lock(&mutex_);
  return size_;
}

bool LogSpool::closed() const {
  absl::MutexLock lock(&mutex_);
  return closed_;
}

bool LogSpool::AwaitMore(int64_t offset, absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  const auto more = [this, offset]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return size_ > offset || closed_; };
  return mutex_.AwaitWithTimeout(absl::Condition(&more), timeout);
}

}  // namespace davit::builder_agent
