// The other services over gRPC. Thread-safe.
#pragma once

#include <memory>

#include "services/builder_agent/scheduler_client.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::builder_agent {

// A client of the scheduler over `channel`, which carries the agent's token.
std::unique_ptr<SchedulerClient> MakeSchedulerClient(std::shared_ptr<grpc::Channel> channel);

// A client of the token-registry over `channel`, which carries the agent's token.
std::unique_ptr<CredentialClient> MakeCredentialClient(std::shared_ptr<grpc::Channel> channel);

}  // namespace davit::builder_agent
