// Serves build contexts to BuildKit: moby.filesync.v1.FileSync. Thread-safe; each transfer has a reading and a writing
// thread.
#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "libs/buildkit/context_source.h"
#include "moby/filesync/v1/filesync.grpc.pb.h"

namespace davit::buildkit {

// Sends the entries of a directory and then the contents that BuildKit asks for. Contents pass in pieces; what is held
// for a transfer is one record for each entry, never their contents.
class FileSyncService final : public moby::filesync::v1::FileSync::Service {
 public:
  // Directories by the name under which BuildKit asks for them: "context", "dockerfile". They must outlive the service.
  explicit FileSyncService(std::map<std::string, const ContextSource*> directories);

  grpc::Status DiffCopy(grpc::ServerContext* context,
                        grpc::ServerReaderWriter<fsutil::types::Packet, fsutil::types::Packet>* stream) override;

  // The first error that a directory's source had; BuildKit's own message about it says less.
  absl::Status source_error() const;

 private:
  const std::map<std::string, const ContextSource*> directories_;
  mutable absl::Mutex mutex_;
  absl::Status source_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::buildkit
