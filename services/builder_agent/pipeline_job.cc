// Runs leased builds through the pipeline: one thread builds, one sends the log, one watches the time.
#include "services/builder_agent/pipeline_job.h"

#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/builder_agent/failure.h"
#include "services/builder_agent/log_uploader.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

constexpr absl::Duration kDefaultTimeout = absl::Hours(1);

absl::Duration TimeoutOf(const proto::Lease& lease) {
  const google::protobuf::Duration& timeout = lease.spec().recipe().timeout();
  const absl::Duration limit = absl::Seconds(timeout.seconds()) + absl::Nanoseconds(timeout.nanos());
  return limit > absl::ZeroDuration() ? limit : kDefaultTimeout;
}

// What a job uses; everything outlives it.
struct JobContext {
  BuildPipeline& pipeline;
  SchedulerClient& scheduler;
  Clock& clock;
  JobObserver& observer;
  Logger logger;
  PipelineJobOptions options;
};

class PipelineJob final : public Job {
 public:
  PipelineJob(JobContext context, const proto::Lease& lease)
      : context_(std::move(context)), lease_(lease), key_{lease.build_id(), lease.fence()}, thread_([this] {
          Run();
        }) {}

  ~PipelineJob() override {
    Stop(StopReason::kForgotten);
    thread_.join();
  }

  void Stop(StopReason reason) override {
    {
      absl::MutexLock lock(&mutex_);
      if (!reason_.has_value() || reason == StopReason::kForgotten) reason_ = reason;
      if (reason == StopReason::kForgotten && uploader_ != nullptr) uploader_->Abandon();
    }
    stop_.request_stop();
  }

 private:
  void Run() {
    const std::string prefix = absl::StrCat(context_.options.directory, "/", key_.build_id, ".", key_.fence);
    absl::StatusOr<std::unique_ptr<LogSpool>> spool =
        LogSpool::Create(absl::StrCat(prefix, ".log"), context_.options.max_log_bytes);
    if (spool.ok()) {
      RunWithLog(**spool, prefix);
    } else {
      proto::BuildResult result;
      result.set_outcome(proto::BuildAttempt::OUTCOME_FAILED);
      *result.mutable_failure() = FailureOf(spool.status());
      context_.observer.OnResult(key_, std::move(result));
    }
    context_.observer.OnOver(key_);
  }

  void RunWithLog(LogSpool& spool, const std::string& prefix) {
    BuildLog log(spool);
    LogUploader uploader(context_.scheduler, key_, spool, context_.clock, context_.logger);
    SetUploader(&uploader);
    std::thread upload([&uploader] { uploader.Run(); });
    std::thread watch([this] { WatchTime(); });
    proto::BuildResult result = context_.pipeline.Run({
        .lease = lease_,
        .log = log,
        .work_prefix = prefix,
        .on_phase = [this](proto::BuildPhase phase) { context_.observer.OnPhase(key_, phase); },
        .stop = stop_.get_token(),
    });
    SetBuilt();
    watch.join();
    Conclude(result, log);
    spool.Close();
    upload.join();
    SetUploader(nullptr);
    result.set_log_size(spool.size());
    Report(std::move(result));
  }

  // Triggers the stop when the build has taken too long.
  void WatchTime() {
    const absl::Duration limit = TimeoutOf(lease_);
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&built_), limit)) return;
    timed_out_ = !reason_.has_value();
    mutex_.Unlock();
    stop_.request_stop();
    mutex_.Lock();
  }

  // Says in result and log why a stopped build was stopped.
  void Conclude(proto::BuildResult& result, BuildLog& log) {
    if (result.outcome() != proto::BuildAttempt::OUTCOME_CANCELLED) return;
    absl::MutexLock lock(&mutex_);
    if (timed_out_) {
      result.set_outcome(proto::BuildAttempt::OUTCOME_TIMED_OUT);
      *result.mutable_failure() = TimeoutFailure(TimeoutOf(lease_));
      log.Note(absl::StrCat("ERROR: ", result.failure().message()));
    } else if (reason_ == StopReason::kCancelled) {
      log.Note("Cancelled");
    } else if (reason_ == StopReason::kReturned) {
      log.Note("The agent shuts down; the build goes back to the queue");
    }
  }

  void Report(proto::BuildResult result) {
    std::optional<StopReason> reason;
    {
      absl::MutexLock lock(&mutex_);
      reason = reason_;
    }
    if (reason == StopReason::kForgotten) return;
    if (reason == StopReason::kReturned && result.outcome() == proto::BuildAttempt::OUTCOME_CANCELLED) {
      context_.observer.OnReturned(key_);
    } else {
      context_.observer.OnResult(key_, std::move(result));
    }
  }

  void SetUploader(LogUploader* uploader) {
    absl::MutexLock lock(&mutex_);
    uploader_ = uploader;
    if (uploader != nullptr && reason_ == StopReason::kForgotten) uploader->Abandon();
  }

  void SetBuilt() {
    absl::MutexLock lock(&mutex_);
    built_ = true;
  }

  const JobContext context_;
  const proto::Lease lease_;
  const LeaseKey key_;
  std::stop_source stop_;
  absl::Mutex mutex_;
  std::optional<StopReason> reason_ ABSL_GUARDED_BY(mutex_);
  bool timed_out_ ABSL_GUARDED_BY(mutex_) = false;
  bool built_ ABSL_GUARDED_BY(mutex_) = false;
  LogUploader* uploader_ ABSL_GUARDED_BY(mutex_) = nullptr;  // While it runs.
  std::thread thread_;                                       // Last: it uses the rest.
};

}  // namespace

PipelineJobLauncher::PipelineJobLauncher(BuildPipeline& pipeline, SchedulerClient& scheduler, Clock& clock,
                                         Logger logger, PipelineJobOptions options)
    : pipeline_(pipeline),
      scheduler_(scheduler),
      clock_(clock),
      logger_(std::move(logger)),
      options_(std::move(options)) {}

std::unique_ptr<Job> PipelineJobLauncher::Launch(const proto::Lease& lease, JobObserver& observer) {
  return std::make_unique<PipelineJob>(JobContext{pipeline_, scheduler_, clock_, observer, logger_, options_}, lease);
}

}  // namespace davit::builder_agent
