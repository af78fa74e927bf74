// Doing at once what comes at the same time: items that are handed in while the workers are busy share the next piece
// of work (a transaction, a call). Header only, since it is a template.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace davit::batch {

// Bounds of a Batcher.
struct BatcherOptions {
  size_t max_items = 64;               // of a batch
  size_t max_bytes = size_t{1} << 20;  // of a batch; a larger item has one to itself
  int workers = 2;                     // batches at a time
  // While a batch is under way, another begins with so many items, or when the first of them has waited for so long.
  size_t items_beside = 8;
  absl::Duration wait_beside = absl::Milliseconds(5);
  size_t max_held_items = 2048;              // handed in and not answered; more get RESOURCE_EXHAUSTED
  size_t max_held_bytes = size_t{64} << 20;  // the same in bytes
};

// Answers items in batches. Nobody waits for a batch to fill when nothing else is done: what comes alone is worked on
// at once. While a batch is under way, what comes makes up the next, which begins when that one ends, when it is worth
// the cost that a batch has whatever its size, or when that one takes long. No caller's thread is held: the answer
// comes to a function. Thread-safe.
template <typename Item, typename Result>
class Batcher {
 public:
  // Takes the answer to an item, once, mostly on a worker's thread: it must not block and must not throw.
  using Done = std::function<void(absl::StatusOr<Result>)>;

  // Items in the order in which they came, to be answered in any order.
  class Batch {
   public:
    size_t size() const { return entries_.size(); }
    Item& item(size_t index) { return entries_[index].item; }
    // Only the first answer to an item counts. What the work leaves without one is answered INTERNAL.
    void Answer(size_t index, absl::StatusOr<Result> result) {
      if (Done done = std::exchange(entries_[index].done, nullptr); done != nullptr) {
        batcher_.Release(entries_[index].bytes);
        done(std::move(result));
      }
    }

   private:
    friend class Batcher;
    struct Entry {
      Item item;
      size_t bytes;
      Done done;
      absl::Time due;  // when it does not wait for a batch under way any longer
    };

    explicit Batch(Batcher& batcher) : batcher_(batcher) {}

    Batcher& batcher_;
    std::vector<Entry> entries_;
  };

  // Works on a batch; called by the workers, several at once, and must not throw.
  using Work = std::function<void(Batch& batch)>;

  // Starts the workers.
  Batcher(BatcherOptions options, Work work) : options_(options), work_(std::move(work)) {
    for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { Run(); });
  }
  // Returns when everything that was handed in has its answer. Nothing may be handed in any more.
  ~Batcher() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      arrived_.SignalAll();
    }
    for (std::thread& worker : workers_) worker.join();
  }
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Hands in an item; its answer goes to `done`, at once when too much is held already.
  void Submit(Item item, size_t bytes, Done done) {
    size_t items_before = 0;
    size_t bytes_before = 0;
    {
      absl::MutexLock lock(&mutex_);
      // One that is larger than the bound is taken when it is alone.
      if (held_items_ < options_.max_held_items &&
          (held_items_ == 0 || held_bytes_ + bytes <= options_.max_held_bytes)) {
        ++held_items_;
        held_bytes_ += bytes;
        line_.push_back({std::move(item), bytes, std::move(done), absl::Now() + options_.wait_beside});
        // A worker waits for the first one with a time limit.
        if (idle_ > 0 && (line_.size() == 1 || Due())) arrived_.Signal();
        return;
      }
      items_before = held_items_;
      bytes_before = held_bytes_;
    }
    done(absl::ResourceExhaustedError(absl::StrCat(items_before, " items wait already, ", bytes_before, " bytes")));
  }

  // How many items wait for a batch.
  size_t waiting() const {
    absl::MutexLock lock(&mutex_);
    return line_.size();
  }

 private:
  void Run() {
    Batch batch(*this);
    while (Take(batch)) {
      work_(batch);
      for (size_t i = 0; i < batch.size(); ++i) {
        batch.Answer(i, absl::InternalError("a batch was not answered in full"));
      }
      batch.entries_.clear();
      absl::MutexLock lock(&mutex_);
      --running_;
    }
  }

  // Whether what waits is to be worked on now.
  bool Due() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (line_.empty()) return false;
    return running_ == 0 || line_.size() >= options_.items_beside || line_.front().due <= absl::Now();
  }

  // Waits for items and makes a batch of the first ones; false when there will be none.
  bool Take(Batch& batch) {
    absl::MutexLock lock(&mutex_);
    while (!Due() && !(stopping_ && line_.empty())) {
      ++idle_;
      arrived_.WaitWithDeadline(&mutex_, line_.empty() ? absl::InfiniteFuture() : line_.front().due);
      --idle_;
    }
    size_t bytes = 0;
    while (!line_.empty() && batch.size() < options_.max_items) {
      auto& next = line_.front();
      if (batch.size() > 0 && bytes + next.bytes > options_.max_bytes) break;
      bytes += next.bytes;
      batch.entries_.push_back(std::move(next));
      line_.pop_front();
    }
    // The others wait for what will not come.
    if (stopping_ && line_.empty()) arrived_.SignalAll();
    if (batch.size() == 0) return false;
    ++running_;
    if (idle_ > 0 && Due()) arrived_.Signal();
    return true;
  }

  void Release(size_t bytes) {
    absl::MutexLock lock(&mutex_);
    --held_items_;
    held_bytes_ -= bytes;
  }

  const BatcherOptions options_;
  const Work work_;
  mutable absl::Mutex mutex_;
  absl::CondVar arrived_;
  std::deque<typename Batch::Entry> line_ ABSL_GUARDED_BY(mutex_);
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;     // workers without a batch
  int running_ ABSL_GUARDED_BY(mutex_) = 0;  // batches
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  size_t held_items_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> workers_;
};

}  // namespace davit::batch
