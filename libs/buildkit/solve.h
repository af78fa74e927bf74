// Runs one build in BuildKit and follows it. No state; usable from any thread.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/buildkit/progress.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::buildkit {

// One build as BuildKit takes it.
struct SolveSpec {
  std::string id;
  std::string session_id;
  std::map<std::string, std::string> frontend_attributes;
  std::vector<std::string> entitlements;
  std::string exporter;
  std::map<std::string, std::string> exporter_attributes;
};

// Runs the build to its end, telling `progress` meanwhile from a thread that is gone on return. Returns what the
// exporter answered. Triggering `cancelled` cancels the call, on which BuildKit stops its work. CANCELLED then;
// UNAVAILABLE when the connection breaks; FAILED_PRECONDITION with BuildKit's text when the build fails.
absl::StatusOr<std::map<std::string, std::string>> Solve(const std::shared_ptr<grpc::Channel>& channel,
                                                         const SolveSpec& spec, ProgressSink& progress,
                                                         std::stop_token cancelled);

}  // namespace davit::buildkit
