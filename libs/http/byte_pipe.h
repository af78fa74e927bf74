// A bounded pipe of bytes between a connection's coroutine and whoever makes or takes a body piece by piece.
// Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace davit::http {

// One side writes and ends, the other reads or closes. Neither side holds a thread while it waits, unless it wants to
// (Read).
class BytePipe {
 public:
  // What a writer is told.
  enum class State {
    kReady,   // there is room
    kFull,    // taken, but nothing more is to be written until there is room (WhenRoom)
    kClosed,  // not taken: the pipe was ended or closed
  };

  // Full from `capacity` bytes on.
  explicit BytePipe(size_t capacity) : capacity_(capacity) {}

  // Appends a piece, which is taken also when it makes the pipe more than full: at most one piece over.
  State Write(std::string piece);

  // Nothing comes after what was written. Ending again, or after Close, changes nothing.
  void End();

  // Throws away what was not read; Read returns `why` from now on. For a writer that cannot go on.
  void Abort(absl::Status why);

  // Calls `call` once, as soon as there is room or the pipe is ended or closed: at once, or later on the thread of
  // whoever made it so. `call` may use the pipe.
  void WhenRoom(std::function<void()> call);

  // Calls `call` once, when the pipe is ended, aborted or closed by whichever side: at once, or later on that side's
  // thread. `call` may use the pipe.
  void WhenClosed(std::function<void()> call);

  // Whether a writer is to wait, as Write would say.
  State state() const;

  // The next piece, or nothing when none is there now.
  std::optional<std::string> TryRead();

  // Blocks for the next piece; "" is the end, an error is Abort's.
  absl::StatusOr<std::string> Read();

  // Whether everything was read and nothing comes any more.
  bool AtEnd() const;

  // The reader takes no more. What was not read is thrown away, and the writer is told.
  void Close();

  // Calls `notify` whenever a piece, the end or an abortion comes, under the pipe's lock: it must neither block nor use
  // the pipe. An empty function ends that; no call is under way any more when this returns.
  void OnReadable(std::function<void()> notify);

 private:
  bool ReadableLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !pieces_.empty() || ended_; }
  std::optional<std::string> TakeLocked(std::function<void()>& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(absl::Status status, bool discard);

  const size_t capacity_;
  mutable absl::Mutex mutex_;
  std::deque<std::string> pieces_ ABSL_GUARDED_BY(mutex_);
  size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> when_room_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> when_closed_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_readable_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::http
