// Runs leased builds through the pipeline, with their logs and time limits. Thread-safe; a job has three threads.
#pragma once

#include <memory>
#include <string>

#include "libs/clock/clock.h"
#include "libs/logging/logger.h"
#include "services/builder_agent/build_job.h"
#include "services/builder_agent/build_pipeline.h"
#include "services/builder_agent/scheduler_client.h"

namespace davit::builder_agent {

// Settings of every job.
struct PipelineJobOptions {
  // Where jobs make their files.
  std::string directory;
  // Bytes of log that a build may write.
  int64_t max_log_bytes = int64_t{64} << 20;
};

// Launches jobs that run a BuildPipeline.
class PipelineJobLauncher final : public JobLauncher {
 public:
  // References must outlive the launcher and its jobs.
  PipelineJobLauncher(BuildPipeline& pipeline, SchedulerClient& scheduler, Clock& clock, Logger logger,
                      PipelineJobOptions options);

  std::unique_ptr<Job> Launch(const scheduler::v1::Lease& lease, JobObserver& observer) override;

 private:
  BuildPipeline& pipeline_;
  SchedulerClient& scheduler_;
  Clock& clock_;
  const Logger logger_;
  const PipelineJobOptions options_;
};

}  // namespace davit::builder_agent
