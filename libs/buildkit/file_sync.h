// Serves build contexts to BuildKit: the method moby.filesync.v1.FileSync/DiffCopy. Thread-safe; each transfer has a
// reading and a writing thread.
#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "libs/buildkit/context_source.h"
#include "libs/buildkit/session_server.h"

namespace davit::buildkit {

// Sends the entries of a directory and then the contents that BuildKit asks for. Contents pass in pieces; what is held
// for a transfer is one record for each entry, never their contents.
class FileSync {
 public:
  // Directories by the name under which BuildKit asks for them: "context", "dockerfile". They must outlive it.
  explicit FileSync(std::map<std::string, const ContextSource*> directories);

  // Serves one DiffCopy: its directory and patterns are in the call's metadata. NOT_FOUND for a directory that is not
  // shared.
  absl::Status DiffCopy(ServerCall& call);

  // The first error that a directory's source had; BuildKit's own message about it says less.
  absl::Status source_error() const;

 private:
  const std::map<std::string, const ContextSource*> directories_;
  mutable absl::Mutex mutex_;
  absl::Status source_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::buildkit
