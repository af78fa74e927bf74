// A server-streaming call of gRPC's callback API that waits for events without holding a thread: the base of watches
// and log readers. Owns itself from its construction until gRPC is done with it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "libs/rpc/executor.h"
#include "libs/rpc/status_conversion.h"

namespace davit::scheduler {

// Asks Produce for messages, one at a time, on an executor. Produce runs on one thread at a time.
template <typename Response>
class StreamCall : public grpc::ServerWriteReactor<Response> {
 public:
  // What Produce has done: filled the message, found nothing yet, or reached the end.
  enum class Step { kMessage, kWait, kEnd };
  struct Produced {
    Step step;
    absl::Status status = absl::OkStatus();  // With kEnd: how the call ends.
  };

  static Produced End(absl::Status status) { return {Step::kEnd, std::move(status)}; }

  // Lets Produce run again if it waits. May be called from any thread until the call is destroyed, also under a lock
  // that the destructor takes: it never ends the call itself. When the executor is full, a later Wake has to do.
  void Wake() {
    if (!MakeBusy()) return;
    if (executor_.Submit([this] { Run(); }).ok()) return;
    absl::MutexLock lock(&mutex_);
    busy_ = false;
  }

 protected:
  StreamCall(grpc::CallbackServerContext* context, rpc::Executor& executor) : context_(context), executor_(executor) {}
  ~StreamCall() override = default;

  // Begins; the last thing that a constructor does.
  void Begin() {
    if (MakeBusy()) Schedule();
  }

  virtual Produced Produce(Response& message) = 0;

  grpc::CallbackServerContext& context() { return *context_; }

 private:
  // Whether the caller is the one to let Run run.
  bool MakeBusy() {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
    if (busy_ || finished_) return false;
    busy_ = true;
    return true;
  }

  // Lets Run run, or ends the call when it cannot.
  void Schedule() {
    const absl::Status accepted = executor_.Submit([this] { Run(); });
    if (!accepted.ok()) Close(accepted);
  }

  void Run() {
    while (true) {
      {
        absl::MutexLock lock(&mutex_);
        woken_ = false;
      }
      if (context_->IsCancelled()) return Close(absl::CancelledError("the caller has gone"));
      message_.Clear();
      const Produced produced = Produce(message_);
      if (produced.step == Step::kEnd) return Close(produced.status);
      if (produced.step == Step::kMessage) {
        this->StartWrite(&message_);  // OnWriteDone goes on.
        return;
      }
      absl::MutexLock lock(&mutex_);
      if (!woken_) {
        busy_ = false;
        return;
      }
    }
  }

  void Close(const absl::Status& status) {
    {
      absl::MutexLock lock(&mutex_);
      finished_ = true;
    }
    this->Finish(rpc::ToGrpcStatus(status));
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      Schedule();
    } else {
      Close(absl::CancelledError("the caller has gone"));
    }
  }

  void OnCancel() override {
    if (MakeBusy()) Schedule();
  }

  void OnDone() override { delete this; }

  grpc::CallbackServerContext* const context_;
  rpc::Executor& executor_;
  Response message_;
  absl::Mutex mutex_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // Produce runs, is about to, or a message is being written.
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace davit::scheduler
