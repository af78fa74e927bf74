// The three APIs as a test's script: they remember what they were asked and answer what they were told. Called from
// gRPC's threads while the test's thread waits in cli::Run, so nothing is locked.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "davit/registry/v1/identity.grpc.pb.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"

namespace davit::cli {

class FakeIdentity : public davit::registry::v1::IdentityService::Service {
 public:
  grpc::Status CreateApiToken(grpc::ServerContext*, const davit::registry::v1::CreateApiTokenRequest* request,
                              davit::registry::v1::CreateApiTokenResponse* response) override;

  davit::registry::v1::CreateApiTokenRequest created;
};

class FakeRegistry : public davit::registry::v1::TokenRegistry::Service {
 public:
  grpc::Status CreateConnection(grpc::ServerContext* context,
                                const davit::registry::v1::CreateConnectionRequest* request,
                                davit::registry::v1::CreateConnectionResponse* response) override;
  grpc::Status ListConnections(grpc::ServerContext*, const davit::registry::v1::ListConnectionsRequest* request,
                               davit::registry::v1::ListConnectionsResponse* response) override;
  grpc::Status VerifyConnection(grpc::ServerContext*, const davit::registry::v1::VerifyConnectionRequest* request,
                                davit::registry::v1::VerifyConnectionResponse* response) override;
  grpc::Status CreateWebhook(grpc::ServerContext*, const davit::registry::v1::CreateWebhookRequest* request,
                             davit::registry::v1::CreateWebhookResponse* response) override;

  davit::registry::v1::CreateConnectionRequest created;
  std::string authorization;
  int connections = 3;  // How many there are to list, two a page.
};

class FakeSecrets : public davit::registry::v1::BuildSecrets::Service {
 public:
  grpc::Status CreateSecret(grpc::ServerContext*, const davit::registry::v1::CreateSecretRequest* request,
                            davit::registry::v1::CreateSecretResponse* response) override {
    created = *request;
    *response->mutable_secret() = request->secret();
    response->mutable_secret()->set_version(1);
    return grpc::Status::OK;
  }
  grpc::Status UpdateSecret(grpc::ServerContext*, const davit::registry::v1::UpdateSecretRequest* request,
                            davit::registry::v1::UpdateSecretResponse* response) override {
    updated = *request;
    response->mutable_secret()->set_name(request->name());
    return grpc::Status::OK;
  }
  grpc::Status ListSecrets(grpc::ServerContext*, const davit::registry::v1::ListSecretsRequest*,
                           davit::registry::v1::ListSecretsResponse* response) override {
    response->add_secrets()->set_name("npm");
    return grpc::Status::OK;
  }

  davit::registry::v1::CreateSecretRequest created;
  davit::registry::v1::UpdateSecretRequest updated;
};

class FakeRules : public davit::rules::v1::RuleEngine::Service {
 public:
  grpc::Status CreateRule(grpc::ServerContext*, const davit::rules::v1::CreateRuleRequest* request,
                          davit::rules::v1::CreateRuleResponse* response) override;
  grpc::Status ListRules(grpc::ServerContext*, const davit::rules::v1::ListRulesRequest* request,
                         davit::rules::v1::ListRulesResponse* response) override;
  grpc::Status DisableRule(grpc::ServerContext*, const davit::rules::v1::DisableRuleRequest* request,
                           davit::rules::v1::DisableRuleResponse* response) override;
  grpc::Status SimulateRule(grpc::ServerContext*, const davit::rules::v1::SimulateRuleRequest* request,
                            davit::rules::v1::SimulateRuleResponse* response) override;
  grpc::Status UpdateRule(grpc::ServerContext*, const davit::rules::v1::UpdateRuleRequest* request,
                          davit::rules::v1::UpdateRuleResponse* response) override;
  grpc::Status TriggerRule(grpc::ServerContext*, const davit::rules::v1::TriggerRuleRequest* request,
                           davit::rules::v1::TriggerRuleResponse* response) override;
  grpc::Status GetEvent(grpc::ServerContext*, const davit::rules::v1::GetEventRequest* request,
                        davit::rules::v1::GetEventResponse* response) override;

  std::vector<davit::rules::v1::Rule> stored;  // What ListRules lists.
  davit::rules::v1::CreateRuleRequest created;
  davit::rules::v1::UpdateRuleRequest updated;
  davit::rules::v1::DisableRuleRequest disabled;
  davit::rules::v1::SimulateRuleRequest simulated;
  davit::rules::v1::TriggerRuleRequest triggered;
  int looks_until_build = 3;  // How many GetEvent calls until the event names its build.
};

class FakeScheduler : public davit::scheduler::v1::Scheduler::Service {
 public:
  // One answer of ReadLog: the messages, then the status.
  struct LogStream {
    std::vector<davit::scheduler::v1::ReadLogResponse> messages;
    grpc::Status status;
  };

  grpc::Status CreateBuild(grpc::ServerContext*, const davit::scheduler::v1::CreateBuildRequest* request,
                           davit::scheduler::v1::CreateBuildResponse* response) override;
  grpc::Status UploadContext(grpc::ServerContext*,
                             grpc::ServerReader<davit::scheduler::v1::UploadContextRequest>* reader,
                             davit::scheduler::v1::UploadContextResponse* response) override;
  grpc::Status GetBuild(grpc::ServerContext*, const davit::scheduler::v1::GetBuildRequest* request,
                        davit::scheduler::v1::GetBuildResponse* response) override;
  grpc::Status ListBuilds(grpc::ServerContext*, const davit::scheduler::v1::ListBuildsRequest* request,
                          davit::scheduler::v1::ListBuildsResponse* response) override;
  grpc::Status WatchBuild(grpc::ServerContext*, const davit::scheduler::v1::WatchBuildRequest* request,
                          grpc::ServerWriter<davit::scheduler::v1::WatchBuildResponse>* writer) override;
  grpc::Status ReadLog(grpc::ServerContext*, const davit::scheduler::v1::ReadLogRequest* request,
                       grpc::ServerWriter<davit::scheduler::v1::ReadLogResponse>* writer) override;

  davit::scheduler::v1::CreateBuildRequest created;
  davit::scheduler::v1::ListBuildsRequest listed;
  davit::scheduler::v1::UploadHeader upload_header;
  std::string uploaded;
  size_t upload_limit = 1 << 30;
  std::deque<LogStream> logs;                               // One a call; the last one again and again.
  std::vector<davit::scheduler::v1::ReadLogRequest> reads;  // Calls of ReadLog.
  std::vector<davit::scheduler::v1::BuildState> states = {
      // What WatchBuild sends; the last one is the end.
      davit::scheduler::v1::BUILD_STATE_QUEUED, davit::scheduler::v1::BUILD_STATE_RUNNING,
      davit::scheduler::v1::BUILD_STATE_SUCCEEDED};
};

// A message of a log.
davit::scheduler::v1::ReadLogResponse LogPiece(int attempt, int64_t offset, const std::string& data);

// The last message of an attempt's log.
davit::scheduler::v1::ReadLogResponse LogEnd(int attempt, int64_t offset);

}  // namespace davit::cli
