// Implements fake_services.h.
#include "services/cli/testing/fake_services.h"

#include <algorithm>

namespace davit::cli {

namespace registry_v1 = ::davit::registry::v1;
namespace rules_v1 = ::davit::rules::v1;
namespace scheduler_v1 = ::davit::scheduler::v1;

grpc::Status FakeIdentity::CreateApiToken(grpc::ServerContext*, const registry_v1::CreateApiTokenRequest* request,
                                          registry_v1::CreateApiTokenResponse* response) {
  created = *request;
  response->mutable_api_token()->set_id("tok_new");
  response->set_token("dvt_new");
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::CreateConnection(grpc::ServerContext* context,
                                            const registry_v1::CreateConnectionRequest* request,
                                            registry_v1::CreateConnectionResponse* response) {
  created = *request;
  const auto found = context->client_metadata().find("authorization");
  if (found != context->client_metadata().end()) {
    authorization = std::string(found->second.data(), found->second.size());
  }
  *response->mutable_connection() = request->connection();
  response->mutable_connection()->set_id("con_1");
  response->mutable_connection()->set_state(registry_v1::Connection::STATE_ACTIVE);
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::ListConnections(grpc::ServerContext*, const registry_v1::ListConnectionsRequest* request,
                                           registry_v1::ListConnectionsResponse* response) {
  const int from = request->page_token().empty() ? 0 : std::stoi(request->page_token());
  const int to = std::min({connections, from + 2, from + request->page_size()});
  for (int i = from; i < to; ++i) response->add_connections()->set_id("con_" + std::to_string(i));
  if (to < connections) response->set_next_page_token(std::to_string(to));
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::VerifyConnection(grpc::ServerContext*, const registry_v1::VerifyConnectionRequest* request,
                                            registry_v1::VerifyConnectionResponse* response) {
  if (request->id() != "con_1") return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such connection");
  response->mutable_connection()->set_id("con_1");
  response->mutable_connection()->set_state(registry_v1::Connection::STATE_INVALID);
  response->mutable_connection()->set_state_reason("credential rejected by github.com (401)");
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::CreateWebhook(grpc::ServerContext*, const registry_v1::CreateWebhookRequest* request,
                                         registry_v1::CreateWebhookResponse* response) {
  response->mutable_webhook()->set_id("whk_1");
  response->mutable_webhook()->set_connection_id(request->connection_id());
  response->set_path("/hooks/whk_1");
  response->set_secret("the-secret");
  return grpc::Status::OK;
}

grpc::Status FakeRules::CreateRule(grpc::ServerContext*, const rules_v1::CreateRuleRequest* request,
                                   rules_v1::CreateRuleResponse* response) {
  created = *request;
  *response->mutable_rule() = request->rule();
  response->mutable_rule()->set_id("rul_1");
  return grpc::Status::OK;
}

grpc::Status FakeRules::ListRules(grpc::ServerContext*, const rules_v1::ListRulesRequest*,
                                  rules_v1::ListRulesResponse* response) {
  response->mutable_rules()->Assign(stored.begin(), stored.end());
  return grpc::Status::OK;
}

grpc::Status FakeRules::DisableRule(grpc::ServerContext*, const rules_v1::DisableRuleRequest* request,
                                    rules_v1::DisableRuleResponse*) {
  disabled = *request;
  return grpc::Status::OK;
}

grpc::Status FakeRules::SimulateRule(grpc::ServerContext*, const rules_v1::SimulateRuleRequest* request,
                                     rules_v1::SimulateRuleResponse* response) {
  simulated = *request;
  rules_v1::Simulation& simulation = *response->add_simulations();
  simulation.set_ref(request->ref());
  simulation.set_would_build(true);
  simulation.mutable_explanation()->add_tags("latest");
  return grpc::Status::OK;
}

grpc::Status FakeRules::UpdateRule(grpc::ServerContext*, const rules_v1::UpdateRuleRequest* request,
                                   rules_v1::UpdateRuleResponse* response) {
  updated = *request;
  *response->mutable_rule() = request->rule();
  return grpc::Status::OK;
}

grpc::Status FakeRules::TriggerRule(grpc::ServerContext*, const rules_v1::TriggerRuleRequest* request,
                                    rules_v1::TriggerRuleResponse* response) {
  triggered = *request;
  response->mutable_event()->set_id("evt_1");
  return grpc::Status::OK;
}

grpc::Status FakeRules::GetEvent(grpc::ServerContext*, const rules_v1::GetEventRequest* request,
                                 rules_v1::GetEventResponse* response) {
  rules_v1::Event& event = *response->mutable_event();
  event.set_id(request->id());
  event.set_state(rules_v1::Event::STATE_EVALUATED);
  event.set_detail("1 of 2 rules matched");
  rules_v1::RuleExplanation& other = *event.add_explanations();
  other.set_rule_id("rul_2");
  other.set_reason(rules_v1::RuleExplanation::REASON_BRANCH_NOT_MATCHED);
  other.set_detail("refs/heads/dev matches none of main");
  rules_v1::RuleExplanation& matched = *event.add_explanations();
  matched.set_rule_id("rul_1");
  matched.set_reason(rules_v1::RuleExplanation::REASON_MATCHED);
  if (--looks_until_build <= 0) matched.set_build_id("bld_1");
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::CreateBuild(grpc::ServerContext*, const scheduler_v1::CreateBuildRequest* request,
                                        scheduler_v1::CreateBuildResponse* response) {
  created = *request;
  response->mutable_build()->set_id("bld_1");
  response->mutable_build()->set_state(scheduler_v1::BUILD_STATE_QUEUED);
  *response->mutable_build()->mutable_spec() = request->spec();
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::UploadContext(grpc::ServerContext*,
                                          grpc::ServerReader<scheduler_v1::UploadContextRequest>* reader,
                                          scheduler_v1::UploadContextResponse* response) {
  for (scheduler_v1::UploadContextRequest request; reader->Read(&request);) {
    if (request.has_header()) upload_header = request.header();
    uploaded += request.data();
    if (uploaded.size() > upload_limit) {
      return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "context over the limit 1 MiB");
    }
  }
  response->mutable_upload()->set_id("upl_1");
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::GetBuild(grpc::ServerContext*, const scheduler_v1::GetBuildRequest* request,
                                     scheduler_v1::GetBuildResponse* response) {
  response->mutable_build()->set_id(request->id());
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::ListBuilds(grpc::ServerContext*, const scheduler_v1::ListBuildsRequest* request,
                                       scheduler_v1::ListBuildsResponse* response) {
  listed = *request;
  scheduler_v1::Build& build = *response->add_builds();
  build.set_id("bld_1");
  build.set_state(scheduler_v1::BUILD_STATE_FAILED);
  build.mutable_failure()->set_message("step 2 exited 42");
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::WatchBuild(grpc::ServerContext*, const scheduler_v1::WatchBuildRequest* request,
                                       grpc::ServerWriter<scheduler_v1::WatchBuildResponse>* writer) {
  for (const scheduler_v1::BuildState state : states) {
    scheduler_v1::WatchBuildResponse response;
    response.mutable_build()->set_id(request->id());
    response.mutable_build()->set_state(state);
    if (state != scheduler_v1::BUILD_STATE_QUEUED) response.mutable_build()->add_attempts()->set_number(1);
    if (!writer->Write(response)) break;
  }
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::ReadLog(grpc::ServerContext*, const scheduler_v1::ReadLogRequest* request,
                                    grpc::ServerWriter<scheduler_v1::ReadLogResponse>* writer) {
  reads.push_back(*request);
  if (logs.empty()) return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such build");
  const LogStream stream = logs.front();
  if (logs.size() > 1) logs.pop_front();
  for (const scheduler_v1::ReadLogResponse& message : stream.messages) writer->Write(message);
  return stream.status;
}

scheduler_v1::ReadLogResponse LogPiece(int attempt, int64_t offset, const std::string& data) {
  scheduler_v1::ReadLogResponse message;
  message.set_attempt(attempt);
  message.set_offset(offset);
  message.set_data(data);
  return message;
}

scheduler_v1::ReadLogResponse LogEnd(int attempt, int64_t offset) {
  scheduler_v1::ReadLogResponse message = LogPiece(attempt, offset, "");
  message.set_end_of_attempt(true);
  message.set_complete(true);
  return message;
}

}  // namespace davit::cli
