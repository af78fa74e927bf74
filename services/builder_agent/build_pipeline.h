// One build from its lease to its result. Thread-safe: each run uses its caller's thread.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "davit/scheduler/v1/agent_service.pb.h"
#include "libs/buildkit/builder.h"
#include "libs/clock/clock.h"
#include "services/builder_agent/build_log.h"
#include "services/builder_agent/build_source.h"
#include "services/builder_agent/image_annotator.h"
#include "services/builder_agent/scheduler_client.h"

namespace davit::builder_agent {

// What runs are made of; everything must outlive the pipeline.
struct PipelineParts {
  CredentialClient& credentials;
  SourceFetcher& commits;
  SourceFetcher& uploads;
  buildkit::Builder& builder;
  ImageAnnotator& annotator;
  Clock& clock;
};

// Settings of every run.
struct PipelineOptions {
  // Shown in logs.
  std::string agent_name;
  // Registries (host and optional port) that are spoken to without TLS.
  std::vector<std::string> plain_http_registries;
};

// One build that is to run.
struct PipelineRun {
  const scheduler::v1::Lease& lease;
  BuildLog& log;
  // Files of this build may be made under this path followed by a suffix.
  std::string work_prefix;
  // Told when a phase begins.
  std::function<void(scheduler::v1::BuildPhase)> on_phase;
  // Stops the run soon; its outcome is then for the caller to say.
  std::stop_token stop;
};

// Gets credentials and the source, checks the Dockerfile, builds and pushes, annotates.
class BuildPipeline {
 public:
  BuildPipeline(PipelineParts parts, PipelineOptions options);

  // Runs one build. The result lacks only its log_size. A stopped run ends as OUTCOME_CANCELLED.
  scheduler::v1::BuildResult Run(const PipelineRun& run);

 private:
  // The digest of the image, or a failure. `building` is whether BuildKit's words are behind an error.
  absl::StatusOr<std::string> Build(const PipelineRun& run, bool& building);
  absl::StatusOr<registry::v1::IssueBuildCredentialsResponse> Credentials(const PipelineRun& run);
  absl::StatusOr<std::unique_ptr<BuildSource>> Fetch(const PipelineRun& run,
                                                     registry::v1::IssueBuildCredentialsResponse& credentials);

  const PipelineParts parts_;
  const PipelineOptions options_;
};

}  // namespace davit::builder_agent
