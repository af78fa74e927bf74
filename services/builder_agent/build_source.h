// What a build is made from, once it is on this machine. Interfaces; see each for its threading.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/registry/v1/token_registry.pb.h"
#include "davit/scheduler/v1/agent_service.pb.h"
#include "libs/buildkit/context_source.h"

namespace davit::builder_agent {

// A fetched commit or upload. Immutable; usable from any thread.
class BuildSource {
 public:
  virtual ~BuildSource() = default;

  // The directory that COPY and ADD are relative to.
  virtual const buildkit::ContextSource& context() const = 0;

  // The tree that the Dockerfile's path is relative to.
  virtual const buildkit::ContextSource& root() const = 0;

  // The Dockerfile's text. NOT_FOUND `Dockerfile not found at P in …`; INVALID_ARGUMENT when the path leads out.
  virtual absl::StatusOr<std::string> ReadDockerfile(absl::string_view path) const = 0;

  // Where BuildKit keeps the last context of this source: equal for what is likely to be nearly equal.
  virtual std::string shared_key() const = 0;

  // Where the image comes from, as annotations of its manifest.
  virtual std::map<std::string, std::string> annotations() const = 0;
};

// What a fetcher is given.
struct SourceRequest {
  const scheduler::v1::Lease& lease;
  const registry::v1::IssueBuildCredentialsResponse& credentials;
  // Files of this build may be made under this path followed by a suffix of the fetcher's.
  std::string work_prefix;
  // A line for the build's log.
  std::function<void(absl::string_view)> note;
  std::stop_token stop;
};

// Gets sources. Thread-safe.
class SourceFetcher {
 public:
  virtual ~SourceFetcher() = default;

  // Gets what the lease's spec names. Errors by code as FailureOf judges them; CANCELLED when stopped.
  virtual absl::StatusOr<std::unique_ptr<BuildSource>> Fetch(const SourceRequest& request) = 0;
};

}  // namespace davit::builder_agent
