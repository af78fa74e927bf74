// Implements upload_call.h.
#include "services/scheduler/upload_call.h"

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/ids/ids.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/conversion.h"

namespace davit::scheduler {
namespace {

constexpr size_t kMaxMessageBytes = 1 << 20;
constexpr size_t kMaxFileNameBytes = 255;

// Chunks that are stored in one statement.
constexpr size_t kChunksPerStore = 4;

std::string SizeText(int64_t bytes) {
  if (bytes % (int64_t{1} << 20) == 0) return absl::StrCat(bytes >> 20, " MiB");
  return absl::StrCat(bytes, " bytes");
}

// SHA-256 of what passes by.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    ok_ = context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
  }

  void Update(const std::string& data) { ok_ = ok_ && EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1; }

  // "sha256:…".
  absl::StatusOr<std::string> Finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (!ok_ || EVP_DigestFinal_ex(context_.get(), digest, &size) != 1) return absl::InternalError("SHA-256 failed");
    return absl::StrCat("sha256:",
                        absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size)));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  bool ok_ = false;
};

class UploadCall : public grpc::ServerReadReactor<v1::UploadContextRequest> {
 public:
  UploadCall(const UploadCallDeps& deps, grpc::CallbackServerContext* context, v1::UploadContextResponse* response)
      : deps_(deps), context_(context), response_(response) {
    StartRead(&message_);
  }

 private:
  ~UploadCall() override = default;

  void OnReadDone(bool ok) override {
    const absl::Status accepted = deps_.executor.Submit([this, ok] {
      if (ok) {
        TakeMessage();
      } else {
        TakeEnd();
      }
    });
    if (!accepted.ok()) Finish(rpc::ToGrpcStatus(accepted));
  }

  void OnDone() override { delete this; }

  void TakeMessage() {
    const absl::Status taken = Take();
    message_.Clear();
    if (taken.ok()) {
      StartRead(&message_);
      return;
    }
    GiveUp(taken);
  }

  void TakeEnd() {
    if (context_->IsCancelled()) return GiveUp(absl::CancelledError("the caller has gone"));
    const absl::Status complete = Complete();
    if (!complete.ok()) return GiveUp(complete);
    Finish(grpc::Status::OK);
  }

  // What was stored so far is removed now or, if that fails too, when it is old.
  void GiveUp(const absl::Status& status) {
    if (begun_) deps_.uploads.Abandon(upload_).IgnoreError();
    Finish(rpc::ToGrpcStatus(status));
  }

  // Who calls is checked before anything that was sent is looked at.
  absl::Status Admit() {
    if (caller_.has_value()) return absl::OkStatus();
    DAVIT_ASSIGN_OR_RETURN(caller_, deps_.guard.Admit(*context_, auth::Permission::kRunBuilds));
    return absl::OkStatus();
  }

  absl::Status Take() {
    DAVIT_RETURN_IF_ERROR(Admit());
    if (!begun_) {
      if (!message_.has_header()) return absl::InvalidArgumentError("header: the first message must be the header");
      return TakeHeader(message_.header());
    }
    if (message_.part_case() != v1::UploadContextRequest::kData) {
      return absl::InvalidArgumentError("data: after the header only data is expected");
    }
    return TakeData(message_.data());
  }

  absl::Status TakeHeader(const v1::UploadHeader& header) {
    DAVIT_ASSIGN_OR_RETURN(upload_.project, auth::ResolveProject(*caller_, header.project()));
    if (header.format() < v1::UPLOAD_FORMAT_DOCKERFILE || header.format() > v1::UPLOAD_FORMAT_ZIP) {
      return absl::InvalidArgumentError("header.format: DOCKERFILE, TAR or ZIP is needed");
    }
    if (header.file_name().size() > kMaxFileNameBytes) {
      return absl::InvalidArgumentError(absl::StrCat("header.file_name: over ", kMaxFileNameBytes, " characters"));
    }
    upload_.id = NewId("upl", deps_.clock, deps_.random);
    upload_.format = header.format();
    upload_.file_name = header.file_name();
    DAVIT_RETURN_IF_ERROR(deps_.uploads.Begin(upload_));
    begun_ = true;
    return absl::OkStatus();
  }

  absl::Status TakeData(const std::string& data) {
    if (data.empty() || data.size() > kMaxMessageBytes) {
      return absl::InvalidArgumentError("data: 1 byte to 1 MiB a message is expected");
    }
    upload_.size += static_cast<int64_t>(data.size());
    if (upload_.size > deps_.max_size) {
      return absl::ResourceExhaustedError(absl::StrCat("context over the limit ", SizeText(deps_.max_size)));
    }
    hasher_.Update(data);
    pending_.append(data);
    return pending_.size() >= kChunksPerStore * kUploadChunkBytes ? Store(pending_.size() / kUploadChunkBytes)
                                                                  : absl::OkStatus();
  }

  // Stores the first `count` chunks of what is pending (the last may be shorter at the end).
  absl::Status Store(size_t count) {
    std::vector<std::string> chunks;
    for (size_t i = 0; i < count; ++i) chunks.push_back(pending_.substr(i * kUploadChunkBytes, kUploadChunkBytes));
    if (chunks.empty()) return absl::OkStatus();
    DAVIT_RETURN_IF_ERROR(deps_.uploads.Append(upload_, stored_chunks_, chunks));
    stored_chunks_ += static_cast<int>(count);
    pending_.erase(0, count * kUploadChunkBytes);
    return absl::OkStatus();
  }

  absl::Status Complete() {
    DAVIT_RETURN_IF_ERROR(Admit());
    if (!begun_) return absl::InvalidArgumentError("header: the first message must be the header");
    if (upload_.size == 0) return absl::InvalidArgumentError("data: the upload is empty");
    DAVIT_RETURN_IF_ERROR(Store((pending_.size() + kUploadChunkBytes - 1) / kUploadChunkBytes));
    DAVIT_ASSIGN_OR_RETURN(upload_.digest, hasher_.Finish());
    DAVIT_ASSIGN_OR_RETURN(const UploadRecord complete, deps_.uploads.Complete(upload_));
    *response_->mutable_upload() = ToProto(complete);
    return absl::OkStatus();
  }

  const UploadCallDeps deps_;
  grpc::CallbackServerContext* const context_;
  v1::UploadContextResponse* const response_;
  v1::UploadContextRequest message_;
  std::optional<auth::Caller> caller_;
  bool begun_ = false;
  UploadRecord upload_;
  Hasher hasher_;
  std::string pending_;
  int stored_chunks_ = 0;
};

}  // namespace

grpc::ServerReadReactor<v1::UploadContextRequest>* StartUpload(const UploadCallDeps& deps,
                                                               grpc::CallbackServerContext* context,
                                                               v1::UploadContextResponse* response) {
  return new UploadCall(deps, context, response);
}

}  // namespace davit::scheduler
