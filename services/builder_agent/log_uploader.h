// Sends a build's log from its spool to the scheduler. For one thread.
#pragma once

#include <atomic>

#include "libs/clock/clock.h"
#include "libs/logging/logger.h"
#include "services/builder_agent/log_spool.h"
#include "services/builder_agent/scheduler_client.h"

namespace davit::builder_agent {

// Appends until the spool is closed and the scheduler has stored all of it. While the scheduler is away it tries again;
// a gap makes it go back to what is stored.
class LogUploader {
 public:
  // Everything must outlive the uploader.
  LogUploader(SchedulerClient& scheduler, LeaseKey lease, const LogSpool& spool, Clock& clock, Logger logger);

  // Returns when all is stored, when the scheduler wants no more of it (the lease is gone, the log over its limit), or
  // soon after Abandon.
  void Run();

  // Makes Run return although not everything is stored. From any thread.
  void Abandon() { abandoned_ = true; }

 private:
  enum class Next { kContinue, kEnd };

  Next AppendOnce();
  // Waits in small steps, so that Abandon is noticed.
  void Wait(absl::Duration duration);

  SchedulerClient& scheduler_;
  const LeaseKey lease_;
  const LogSpool& spool_;
  Clock& clock_;
  const Logger logger_;
  std::atomic<bool> abandoned_ = false;
  int64_t stored_ = 0;
  absl::Duration backoff_ = absl::ZeroDuration();
};

}  // namespace davit::builder_agent
