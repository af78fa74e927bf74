// How a caller bounds, watches and stops work on a repository. Plain values; the callbacks run on the thread that
// called.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace davit::git {

// How far a fetch is.
struct FetchProgress {
  int64_t received_bytes = 0;
  int64_t received_objects = 0;
  // Zero until the server has said how many it sends.
  int64_t total_objects = 0;
};

// Bounds and hooks of one fetch.
struct FetchControl {
  // Longest that the whole fetch may take. DEADLINE_EXCEEDED after it.
  absl::Duration timeout = absl::Minutes(10);
  // Most bytes that a server may send for it. RESOURCE_EXHAUSTED: `repository over the limit …`.
  int64_t max_received_bytes = int64_t{4} << 30;
  // The fetch ends with CANCELLED soon after this becomes true. Must outlive the fetch; may be null.
  const std::atomic<bool>* cancelled = nullptr;
  // Called now and then with how far the fetch is. May be empty.
  std::function<void(const FetchProgress&)> progress;
};

}  // namespace davit::git
