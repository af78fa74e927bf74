// Uploaded contexts, in chunks. The interface and its PostgreSQL implementation's constructor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/scheduler/store/records.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// Bytes of a stored chunk; the last one of an upload may be shorter.
inline constexpr size_t kUploadChunkBytes = 256 << 10;

// Thread-safe; every call is one transaction and may block. An upload can be read once it is complete.
class UploadStore {
 public:
  virtual ~UploadStore() = default;

  // Begins an upload; of `upload` only id, project, format and file_name count.
  virtual absl::Status Begin(const UploadRecord& upload) = 0;

  // Stores chunks of kUploadChunkBytes (only the very last may be shorter), the first of which has the number `first`.
  virtual absl::Status Append(const UploadRecord& upload, int first, const std::vector<std::string>& chunks) = 0;

  // Makes the upload durable and readable.
  virtual absl::StatusOr<UploadRecord> Complete(const UploadRecord& upload) = 0;

  // Removes an upload that will not be completed.
  virtual absl::Status Abandon(const UploadRecord& upload) = 0;

  // NOT_FOUND: no complete upload of that id in the project.
  virtual absl::StatusOr<UploadRecord> Get(const std::string& project, const std::string& id) = 0;

  // The upload that a build is made from. NOT_FOUND: it is not from an upload.
  virtual absl::StatusOr<UploadRecord> OfBuild(const std::string& project, const std::string& build_id) = 0;

  // One chunk; empty beyond the last.
  virtual absl::StatusOr<std::string> ReadChunk(const std::string& project, const std::string& id, int number) = 0;

  // Removes uploads older than `age` that no build needs; returns how many.
  virtual absl::StatusOr<int> DeleteOld(absl::Duration age) = 0;
};

// `pool` must outlive the store.
std::unique_ptr<UploadStore> NewPostgresUploadStore(postgres::Pool& pool);

}  // namespace davit::scheduler
