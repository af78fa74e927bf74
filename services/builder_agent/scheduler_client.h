// What the agent asks of other services. Interfaces; implementations are thread-safe.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "davit/registry/v1/token_registry.pb.h"
#include "davit/scheduler/v1/agent_service.pb.h"
#include "services/builder_agent/lease_table.h"

namespace davit::builder_agent {

// The scheduler's AgentService.
class SchedulerClient {
 public:
  virtual ~SchedulerClient() = default;

  // One exchange; given up after `timeout` (DEADLINE_EXCEEDED) or when `stop` is triggered (CANCELLED).
  virtual absl::StatusOr<scheduler::v1::SynchronizeResponse> Synchronize(
      const scheduler::v1::SynchronizeRequest& request, absl::Duration timeout, std::stop_token stop) = 0;

  // Appends to a lease's log.
  virtual absl::StatusOr<scheduler::v1::AppendLogResponse> AppendLog(
      const scheduler::v1::AppendLogRequest& request) = 0;

  // Hands the lease's upload to `sink`, piece by piece; an error of the sink ends the reading and is returned.
  virtual absl::Status ReadUpload(const LeaseKey& lease, const std::function<absl::Status(absl::string_view)>& sink,
                                  std::stop_token stop) = 0;
};

// The token-registry, as far as agents may use it.
class CredentialClient {
 public:
  virtual ~CredentialClient() = default;

  // The credentials of a running build.
  virtual absl::StatusOr<registry::v1::IssueBuildCredentialsResponse> Issue(const LeaseKey& lease) = 0;
};

}  // namespace davit::builder_agent
