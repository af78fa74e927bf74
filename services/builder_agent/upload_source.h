// Fetches uploads. Thread-safe.
#pragma once

#include <memory>

#include "services/builder_agent/build_source.h"
#include "services/builder_agent/scheduler_client.h"
#include "services/builder_agent/stored_context.h"

namespace davit::builder_agent {

// Bounds of what is fetched.
struct UploadSourceOptions {
  // Bytes of an upload as it was sent.
  int64_t max_upload_bytes = int64_t{1} << 30;
  // What it may expand to.
  ContextLimits limits;
};

// Reads uploads from the scheduler: a Dockerfile alone, or an archive, which is unpacked into a StoredContext.
class UploadSourceFetcher final : public SourceFetcher {
 public:
  // `scheduler` must outlive the fetcher.
  UploadSourceFetcher(SchedulerClient& scheduler, UploadSourceOptions options);

  absl::StatusOr<std::unique_ptr<BuildSource>> Fetch(const SourceRequest& request) override;

 private:
  SchedulerClient& scheduler_;
  const UploadSourceOptions options_;
};

}  // namespace davit::builder_agent
