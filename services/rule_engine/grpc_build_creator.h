// The BuildCreator over gRPC. Thread-safe; owns its stub.
#pragma once

#include <memory>
#include <string>

#include "services/rule_engine/build_dispatcher.h"

namespace grpc {
class Channel;
}

namespace davit::rule_engine {

// See BuildCreator; each call ends after BuildDispatcher::kCallTimeout.
class GrpcBuildCreator : public BuildCreator {
 public:
  // `scheduler` carries the rule engine's own token.
  explicit GrpcBuildCreator(std::shared_ptr<grpc::Channel> scheduler) : scheduler_(std::move(scheduler)) {}

  absl::StatusOr<std::string> CreateBuild(const std::string& request) override;

 private:
  const std::shared_ptr<grpc::Channel> scheduler_;
};

}  // namespace davit::rule_engine
