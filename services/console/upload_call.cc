// Implements upload_call.h.
#include "services/console/upload_call.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/console/json_codec.h"

namespace davit::console {
namespace {

namespace v1 = scheduler::v1;

constexpr size_t kMaxMessage = size_t{1} << 20;  // as UploadContext says
constexpr absl::Duration kLongest = absl::Hours(1);

// Counts itself while it lives.
class Slot {
 public:
  explicit Slot(std::atomic<int>& running) : running_(running), number_(++running) {}
  ~Slot() { --running_; }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  int number() const { return number_; }

 private:
  std::atomic<int>& running_;
  const int number_;
};

absl::StatusOr<v1::UploadFormat> ParseFormat(const std::string& text) {
  if (text == "dockerfile") return v1::UPLOAD_FORMAT_DOCKERFILE;
  if (text == "tar") return v1::UPLOAD_FORMAT_TAR;
  if (text == "zip") return v1::UPLOAD_FORMAT_ZIP;
  return absl::InvalidArgumentError("format: expected dockerfile, tar or zip");
}

// Moves the body into the call. An error is the body's; a call that takes no more ends this without one.
absl::Status Pump(http::BytePipe& body, grpc::ClientWriter<v1::UploadContextRequest>& writer) {
  v1::UploadContextRequest message;
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const std::string piece, body.Read());
    std::string& data = *message.mutable_data();
    const bool full = data.size() + piece.size() > kMaxMessage;
    if ((full || piece.empty()) && !data.empty()) {
      if (!writer.Write(message)) return absl::OkStatus();
      data.clear();
    }
    if (piece.empty()) return absl::OkStatus();
    data += piece;
  }
}

}  // namespace

UploadCall::UploadCall(std::shared_ptr<grpc::Channel> scheduler, int max_at_a_time)
    : scheduler_(std::move(scheduler)), max_at_a_time_(max_at_a_time) {}

absl::StatusOr<std::string> UploadCall::Send(const crypto::SecretString& token, const std::string& project,
                                             const http::Query& query, http::BytePipe& body) {
  const Slot slot(running_);
  if (slot.number() > max_at_a_time_) {
    return absl::ResourceExhaustedError("too many uploads at a time; try again in a moment");
  }
  v1::UploadContextRequest first;
  DAVIT_ASSIGN_OR_RETURN(const v1::UploadFormat format, ParseFormat(query.Get("format")));
  first.mutable_header()->set_project(project);
  first.mutable_header()->set_format(format);
  first.mutable_header()->set_file_name(query.Get("file_name"));
  const auto stub = v1::Scheduler::NewStub(scheduler_);
  grpc::ClientContext context;
  rpc::SetDeadline(context, kLongest);
  rpc::SetBearerToken(context, token.Reveal());
  v1::UploadContextResponse response;
  const auto writer = stub->UploadContext(&context, &response);
  if (writer->Write(first)) {
    if (const absl::Status sent = Pump(body, *writer); !sent.ok()) {
      context.TryCancel();
      writer->Finish();
      return sent;
    }
  }
  writer->WritesDone();
  if (const grpc::Status status = writer->Finish(); !status.ok()) return rpc::FromGrpcStatus(status);
  return ToJson(response.upload());
}

}  // namespace davit::console
