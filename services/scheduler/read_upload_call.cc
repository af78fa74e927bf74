// Implements StartReadUpload of read_calls.h.
#include <string>
#include <utility>

#include "services/scheduler/read_calls.h"
#include "services/scheduler/stream_call.h"

namespace davit::scheduler {
namespace {

class ReadUploadCall : public StreamCall<v1::ReadUploadResponse> {
 public:
  ReadUploadCall(const ReadCallDeps& deps, grpc::CallbackServerContext* context, const v1::ReadUploadRequest& request)
      : StreamCall(context, deps.executor), deps_(deps), request_(request) {
    Begin();
  }

 private:
  ~ReadUploadCall() override = default;

  absl::Status Open() {
    const absl::StatusOr<auth::Caller> caller = deps_.guard.Admit(context(), auth::Permission::kWorkBuilds);
    if (!caller.ok()) return caller.status();
    project_ = caller->project;
    const absl::Status held = deps_.leases.Check(project_, request_.build_id(), request_.fence());
    if (!held.ok()) return held;
    absl::StatusOr<UploadRecord> upload = deps_.uploads.OfBuild(project_, request_.build_id());
    if (!upload.ok()) return upload.status();
    upload_ = *std::move(upload);
    return absl::OkStatus();
  }

  Produced Produce(v1::ReadUploadResponse& message) override {
    if (upload_.id.empty()) {
      const absl::Status opened = Open();
      if (!opened.ok()) return End(opened);
    }
    absl::StatusOr<std::string> data = deps_.uploads.ReadChunk(project_, upload_.id, next_++);
    if (!data.ok()) return End(data.status());
    if (data->empty())
      return End(sent_ == upload_.size ? absl::OkStatus() : absl::DataLossError("the upload is cut off"));
    sent_ += static_cast<int64_t>(data->size());
    message.set_data(*std::move(data));
    return {Step::kMessage};
  }

  const ReadCallDeps deps_;
  const v1::ReadUploadRequest request_;
  std::string project_;
  UploadRecord upload_;
  int next_ = 0;
  int64_t sent_ = 0;
};

}  // namespace

grpc::ServerWriteReactor<v1::ReadUploadResponse>* StartReadUpload(const ReadCallDeps& deps,
                                                                  grpc::CallbackServerContext* context,
                                                                  const v1::ReadUploadRequest* request) {
  return new ReadUploadCall(deps, context, *request);
}

}  // namespace davit::scheduler
