// The SourceDirectory over gRPC. Thread-safe; owns its stub.
#pragma once

#include <memory>
#include <string>

#include "services/rule_engine/source_directory.h"

namespace grpc {
class Channel;
}

namespace davit::rule_engine {

// See SourceDirectory.
class GrpcSourceDirectory : public SourceDirectory {
 public:
  // `token_registry` carries the rule engine's own token.
  explicit GrpcSourceDirectory(std::shared_ptr<grpc::Channel> token_registry);
  ~GrpcSourceDirectory() override;

  absl::StatusOr<SourceConnection> GetConnection(const std::string& project, const std::string& id,
                                                 const std::string& request_id) override;
  absl::StatusOr<DestinationCredential> GetRegistryCredential(const std::string& project, const std::string& id,
                                                              const std::string& request_id) override;
  absl::Status CheckSecret(const std::string& project, const std::string& name, const std::string& request_id) override;
  absl::StatusOr<ResolvedRevision> Resolve(const Rule& rule, const std::string& revision,
                                           const std::string& request_id) override;
  absl::StatusOr<ChangedPaths> ListChangedPaths(const ChangeRequest& request) override;
  absl::StatusOr<RemoteHeads> ListHeads(const std::string& project, const std::string& connection_id,
                                        const std::string& repository) override;

 private:
  class Stub;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace davit::rule_engine
