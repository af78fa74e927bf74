// The agent's other services as tests want them: they answer what the test says and remember what they were asked.
// Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/builder_agent/scheduler_client.h"

namespace davit::builder_agent {

// A scheduler whose answers are the test's.
class FakeScheduler final : public SchedulerClient {
 public:
  using Synchronizer =
      std::function<absl::StatusOr<scheduler::v1::SynchronizeResponse>(const scheduler::v1::SynchronizeRequest&)>;

  // What Synchronize answers from here on.
  void OnSynchronize(Synchronizer synchronizer) {
    absl::MutexLock lock(&mutex_);
    synchronizer_ = std::move(synchronizer);
  }
  // The errors that the next AppendLog calls return, in order.
  void FailAppends(std::vector<absl::Status> errors) {
    absl::MutexLock lock(&mutex_);
    append_errors_ = std::move(errors);
  }
  // Before the AppendLog call number `call`, counted from 0, the log is cut to `size`: its last write was lost.
  void LoseBefore(int call, size_t size) {
    absl::MutexLock lock(&mutex_);
    lose_before_ = call;
    lose_to_ = size;
  }
  // What ReadUpload sends.
  void SetUpload(std::string upload) {
    absl::MutexLock lock(&mutex_);
    upload_ = std::move(upload);
  }

  std::string log() const {
    absl::MutexLock lock(&mutex_);
    return log_;
  }
  std::vector<scheduler::v1::SynchronizeRequest> requests() const {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

  absl::StatusOr<scheduler::v1::SynchronizeResponse> Synchronize(const scheduler::v1::SynchronizeRequest& request,
                                                                 absl::Duration, std::stop_token) override {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request);
    return synchronizer_(request);
  }

  absl::StatusOr<scheduler::v1::AppendLogResponse> AppendLog(const scheduler::v1::AppendLogRequest& request) override {
    absl::MutexLock lock(&mutex_);
    if (appends_++ == lose_before_) log_.resize(lose_to_);
    if (!append_errors_.empty()) {
      const absl::Status error = append_errors_.front();
      append_errors_.erase(append_errors_.begin());
      if (!error.ok()) return error;
    }
    const size_t offset = static_cast<size_t>(request.offset());
    if (offset <= log_.size()) {
      const size_t overlap = log_.size() - offset;
      if (overlap < request.data().size()) log_ += request.data().substr(overlap);
    }
    scheduler::v1::AppendLogResponse response;
    response.set_stored_size(static_cast<int64_t>(log_.size()));
    return response;
  }

  absl::Status ReadUpload(const LeaseKey&, const std::function<absl::Status(absl::string_view)>& sink,
                          std::stop_token) override {
    std::string upload;
    {
      absl::MutexLock lock(&mutex_);
      upload = upload_;
    }
    for (size_t at = 0; at < upload.size(); at += 1000) {
      absl::Status taken = sink(absl::string_view(upload).substr(at, 1000));
      if (!taken.ok()) return taken;
    }
    return absl::OkStatus();
  }

 private:
  mutable absl::Mutex mutex_;
  Synchronizer synchronizer_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> append_errors_ ABSL_GUARDED_BY(mutex_);
  int appends_ ABSL_GUARDED_BY(mutex_) = 0;
  int lose_before_ ABSL_GUARDED_BY(mutex_) = -1;
  size_t lose_to_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string log_ ABSL_GUARDED_BY(mutex_);
  std::string upload_ ABSL_GUARDED_BY(mutex_);
  std::vector<scheduler::v1::SynchronizeRequest> requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::builder_agent
