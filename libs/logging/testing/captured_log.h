// Keeps log lines in memory so that a test can look at them. Owns the lines; safe to use from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "libs/logging/logger.h"

namespace davit {

// A destination for loggers of tests. Loggers made by it may outlive it.
class CapturedLog {
 public:
  // A logger of service "test" that keeps everything, debug lines included.
  Logger logger() const {
    return Logger("test", LogLevel::kDebug, [kept = kept_](const std::string& line) {
      absl::MutexLock lock(&kept->mutex);
      kept->lines.push_back(line);
    });
  }

  std::vector<std::string> lines() const {
    absl::MutexLock lock(&kept_->mutex);
    return kept_->lines;
  }

  // All lines, each ended by a newline.
  std::string text() const { return absl::StrJoin(lines(), "\n") + "\n"; }

  bool Contains(absl::string_view part) const { return absl::StrContains(text(), part); }

 private:
  struct Kept {
    absl::Mutex mutex;
    std::vector<std::string> lines ABSL_GUARDED_BY(mutex);
  };

  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

}  // namespace davit
