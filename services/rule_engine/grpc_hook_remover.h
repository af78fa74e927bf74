// The HookRemover over gRPC. Thread-safe; owns its stub.
#pragma once

#include <memory>
#include <string>

#include "services/rule_engine/hook_releases.h"

namespace grpc {
class Channel;
}

namespace davit::rule_engine {

// See HookRemover.
class GrpcHookRemover : public HookRemover {
 public:
  // `token_registry` carries the rule engine's own token.
  explicit GrpcHookRemover(std::shared_ptr<grpc::Channel> token_registry);
  ~GrpcHookRemover() override;

  absl::Status RemoveHook(const std::string& project, const std::string& connection_id,
                          const std::string& repository) override;

 private:
  class Stub;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::rule_engine
