// Doing at once what comes at the same time: callers hand in items, and those that wait share one piece of work (a
// transaction, a call). Header only, since it is a template.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"

namespace davit::batch {

// Bounds of a Batcher.
struct BatcherOptions {
  size_t max_items = 64;                     // of a batch
  size_t max_bytes = size_t{1} << 20;        // of a batch; a larger item has one to itself
  int max_running = 2;                       // batches at a time: one is waited for while the next is made
  size_t max_held_items = 2048;              // handed in and not answered; more get RESOURCE_EXHAUSTED
  size_t max_held_bytes = size_t{64} << 20;  // the same in bytes
};

// Answers items in batches. Nobody waits for a batch to fill: what comes while `max_running` batches are under way
// makes up the next. Has no threads: one of the callers that wait works for all. Thread-safe.
template <typename Item, typename Result>
class Batcher {
 public:
  using Answers = std::vector<absl::StatusOr<Result>>;
  // Works on the items of one group, in the order in which they came; returns as many answers. Called by several
  // threads at once, and must not throw.
  using Work = std::function<Answers(const std::string& group, absl::Span<const Item* const> items)>;

  // An item, which must live until Submit returns. Items of different groups never share a batch.
  struct Entry {
    const Item* item = nullptr;
    std::string group;
    size_t bytes = 0;
  };

  Batcher(BatcherOptions options, Work work) : options_(options), work_(std::move(work)) {}
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Returns when all of the entries are answered, with one answer each.
  Answers Submit(absl::Span<const Entry> entries) {
    Ticket ticket;
    ticket.answers.assign(entries.size(), absl::UnknownError("not answered"));
    ticket.unanswered = ticket.waiting = entries.size();
    absl::MutexLock lock(&mutex_);
    if (!Hold(entries)) {
      ticket.answers.assign(entries.size(), absl::ResourceExhaustedError(absl::StrCat(
                                                held_items_, " items wait already, ", held_bytes_, " bytes")));
      return std::move(ticket.answers);
    }
    for (size_t i = 0; i < entries.size(); ++i) line_.push_back({&entries[i], &ticket, i});
    while (ticket.unanswered > 0) {
      // Those who came first go first: the batch may hold others' items only.
      if (ticket.waiting > 0 && running_ < options_.max_running) {
        WorkOnce();
      } else {
        ticket.changed.Wait(&mutex_);
      }
    }
    return std::move(ticket.answers);
  }

  // The same for one entry.
  absl::StatusOr<Result> Submit(const Entry& entry) { return std::move(Submit(absl::MakeConstSpan(&entry, 1))[0]); }

  // How many items wait for a batch.
  size_t waiting() const {
    absl::MutexLock lock(&mutex_);
    return line_.size();
  }

 private:
  // A call of Submit.
  struct Ticket {
    Answers answers;
    size_t unanswered = 0;
    size_t waiting = 0;     // in the line
    absl::CondVar changed;  // all are answered, or a batch may be made
  };
  struct Waiter {
    const Entry* entry;
    Ticket* ticket;
    size_t index;
  };

  bool Hold(absl::Span<const Entry> entries) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t bytes = 0;
    for (const Entry& entry : entries) bytes += entry.bytes;
    if (held_items_ + entries.size() > options_.max_held_items) return false;
    // One that is larger than the bound is taken when it is alone.
    if (held_items_ > 0 && held_bytes_ + bytes > options_.max_held_bytes) return false;
    held_items_ += entries.size();
    held_bytes_ += bytes;
    return true;
  }

  // Makes a batch of the first in the line and those of its group behind it.
  std::vector<Waiter> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<Waiter> batch;
    std::deque<Waiter> left;
    size_t bytes = 0;
    const std::string& group = line_.front().entry->group;
    bool full = false;
    for (Waiter& waiter : line_) {
      const bool fits = batch.empty() || bytes + waiter.entry->bytes <= options_.max_bytes;
      const bool mine = !full && waiter.entry->group == group;
      if (mine && fits && batch.size() < options_.max_items) {
        bytes += waiter.entry->bytes;
        --waiter.ticket->waiting;
        batch.push_back(waiter);
      } else {
        full = full || mine;  // an order within the group is kept
        left.push_back(waiter);
      }
    }
    line_.swap(left);
    return batch;
  }

  void WorkOnce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::vector<Waiter> batch = Take();
    ++running_;
    WakeNext();
    mutex_.Unlock();
    std::vector<const Item*> items;
    items.reserve(batch.size());
    for (const Waiter& waiter : batch) items.push_back(waiter.entry->item);
    Answers answers = work_(batch.front().entry->group, items);
    answers.resize(batch.size(), absl::InternalError("a batch was not answered in full"));
    mutex_.Lock();
    --running_;
    for (size_t i = 0; i < batch.size(); ++i) {
      const Waiter& waiter = batch[i];
      --held_items_;
      held_bytes_ -= waiter.entry->bytes;
      waiter.ticket->answers[waiter.index] = std::move(answers[i]);
      if (--waiter.ticket->unanswered == 0) waiter.ticket->changed.Signal();
    }
    WakeNext();
  }

  // Lets the first in the line make the next batch.
  void WakeNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!line_.empty() && running_ < options_.max_running) line_.front().ticket->changed.Signal();
  }

  const BatcherOptions options_;
  const Work work_;
  mutable absl::Mutex mutex_;
  std::deque<Waiter> line_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t held_items_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace davit::batch
