// Implements byte_pipe.h. Calls to the outside are made without the lock, but for on_readable_.
#include "libs/http/byte_pipe.h"

#include <utility>

namespace davit::http {

BytePipe::State BytePipe::Write(std::string piece) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return State::kClosed;
  if (!piece.empty()) {
    size_ += piece.size();
    pieces_.push_back(std::move(piece));
    if (on_readable_) on_readable_();
  }
  return size_ < capacity_ ? State::kReady : State::kFull;
}

void BytePipe::End() { Finish(absl::OkStatus(), /*discard=*/false); }

void BytePipe::Abort(absl::Status why) { Finish(std::move(why), /*discard=*/true); }

void BytePipe::Close() { Abort(absl::CancelledError("the reader has gone")); }

void BytePipe::WhenRoom(std::function<void()> call) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_ && size_ >= capacity_) {
      when_room_ = std::move(call);
      return;
    }
  }
  call();
}

void BytePipe::WhenClosed(std::function<void()> call) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_) {
      when_closed_ = std::move(call);
      return;
    }
  }
  call();
}

BytePipe::State BytePipe::state() const {
  absl::MutexLock lock(&mutex_);
  if (ended_) return State::kClosed;
  return size_ < capacity_ ? State::kReady : State::kFull;
}

std::optional<std::string> BytePipe::TryRead() {
  std::function<void()> room;
  std::optional<std::string> piece;
  {
    absl::MutexLock lock(&mutex_);
    piece = TakeLocked(room);
  }
  if (room) room();
  return piece;
}

absl::StatusOr<std::string> BytePipe::Read() {
  std::function<void()> room;
  std::optional<std::string> piece;
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](BytePipe* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->ReadableLocked(); }, this));
    piece = TakeLocked(room);
    if (!piece.has_value()) {
      if (!status_.ok()) return status_;
      return std::string();
    }
  }
  if (room) room();
  return *std::move(piece);
}

bool BytePipe::AtEnd() const {
  absl::MutexLock lock(&mutex_);
  return ended_ && pieces_.empty();
}

void BytePipe::OnReadable(std::function<void()> notify) {
  absl::MutexLock lock(&mutex_);
  on_readable_ = std::move(notify);
}

std::optional<std::string> BytePipe::TakeLocked(std::function<void()>& room) {
  if (pieces_.empty()) return std::nullopt;
  std::string piece = std::move(pieces_.front());
  pieces_.pop_front();
  size_ -= piece.size();
  if (size_ < capacity_) room = std::exchange(when_room_, nullptr);
  return piece;
}

void BytePipe::Finish(absl::Status status, bool discard) {
  std::function<void()> room, closed;
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_) status_ = std::move(status);
    ended_ = true;
    if (discard) {
      pieces_.clear();
      size_ = 0;
    }
    if (on_readable_) on_readable_();
    room = std::exchange(when_room_, nullptr);
    closed = std::exchange(when_closed_, nullptr);
  }
  if (room) room();
  if (closed) closed();
}

}  // namespace davit::http
