// A build's log on disk until the scheduler has it. Thread-safe: one writer, one reader.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace davit::builder_agent {

// An append-only file that is read by offset. Bounded: output beyond the limit is dropped and the log says so where it
// was; what the agent itself has to say (notes) still fits, for which some room is kept.
class LogSpool {
 public:
  // Room that is kept for notes when output has used up the rest.
  static constexpr int64_t kNoteRoom = 64 << 10;

  // Creates the file, readable by its owner only; it is deleted with the spool. `limit` is in bytes, over kNoteRoom.
  static absl::StatusOr<std::unique_ptr<LogSpool>> Create(const std::string& path, int64_t limit);
  ~LogSpool();

  // Appends output of the build; beyond the limit it is counted and dropped.
  void AppendOutput(absl::string_view data);

  // Appends what the agent says; before it, if output was dropped, how much.
  void AppendNote(absl::string_view data);

  // Nothing more will be appended. Readers that wait are woken.
  void Close();

  // Up to `max_bytes` from `offset`; empty at the end. DATA_LOSS when the file cannot be read.
  absl::StatusOr<std::string> Read(int64_t offset, size_t max_bytes) const;

  // Bytes appended so far.
  int64_t size() const;
  // Whether Close was called.
  bool closed() const;

  // Waits until more than `offset` bytes are there or the spool is closed, at most `timeout`. Returns whether that is
  // so.
  bool AwaitMore(int64_t offset, absl::Duration timeout) const;

 private:
  LogSpool(std::string path, int fd, int64_t limit);

  void Append(absl::string_view data) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Drops output from here on, saying so at its first byte.
  void BeginDropping() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const int fd_;
  const int64_t limit_;
  mutable absl::Mutex mutex_;
  int64_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool dropping_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace davit::builder_agent
