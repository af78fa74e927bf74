// Relays a server-streaming call to a browser as events, at the browser's pace: gRPC is asked for the next message when
// there is room for it, and no thread waits. Objects own themselves until gRPC is done with them.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "libs/http/byte_pipe.h"
#include "libs/rpc/status_conversion.h"
#include "services/console/api_error.h"
#include "services/console/event_source.h"

namespace davit::console {

// Counts relays, so that their end can be awaited. Thread-safe.
class RelayCount {
 public:
  void Add() {
    absl::MutexLock lock(&mutex_);
    ++count_;
  }
  void Remove() {
    absl::MutexLock lock(&mutex_);
    --count_;
  }
  // Blocks until there is none.
  void AwaitNone() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* count) { return *count == 0; }, &count_));
  }

 private:
  absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Writes each message as events to a pipe. Use: construct with new, set up `context()`, start the call with this as its
// reactor, then Begin.
template <typename Response>
class StreamRelay : public grpc::ClientReadReactor<Response> {
 public:
  // A message's events.
  using Render = std::function<std::string(const Response&)>;
  // The events that end a call that went well.
  using Finish = std::function<std::string()>;

  // `count` must outlive the call.
  StreamRelay(std::shared_ptr<http::BytePipe> pipe, RelayCount& count, Render render, Finish finish)
      : pipe_(std::move(pipe)),
        count_(count),
        render_(std::move(render)),
        finish_(std::move(finish)),
        context_(std::make_shared<grpc::ClientContext>()) {
    count_.Add();
  }

  grpc::ClientContext& context() { return *context_; }

  // Starts the call, which is cancelled as soon as the browser goes.
  void Begin() {
    this->AddHold();  // OnDone waits until no read is to come any more
    this->StartRead(&message_);
    const std::shared_ptr<http::BytePipe> pipe = pipe_;
    const std::shared_ptr<grpc::ClientContext> context = context_;
    this->StartCall();
    pipe->WhenClosed([context] { context->TryCancel(); });
  }

 private:
  ~StreamRelay() override = default;

  void OnReadDone(bool ok) override {
    if (!ok) return this->RemoveHold();
    switch (pipe_->Write(render_(message_))) {
      case http::BytePipe::State::kReady:
        return this->StartRead(&message_);
      case http::BytePipe::State::kFull:
        return pipe_->WhenRoom([this] { this->StartRead(&message_); });
      case http::BytePipe::State::kClosed:
        context_->TryCancel();
        return this->RemoveHold();
    }
  }

  void OnDone(const grpc::Status& status) override {
    pipe_->Write(status.ok() ? finish_() : FormatEvent("failed", "", ErrorJson(rpc::FromGrpcStatus(status))));
    pipe_->End();
    RelayCount& count = count_;
    delete this;
    count.Remove();
  }

  const std::shared_ptr<http::BytePipe> pipe_;
  RelayCount& count_;
  const Render render_;
  const Finish finish_;
  const std::shared_ptr<grpc::ClientContext> context_;
  Response message_;
};

}  // namespace davit::console
