// The RPCs. Each names its permission; everything else is in the calls.
#include "services/rule_engine/rule_engine_service.h"

#include <utility>

#include "libs/rpc/status_conversion.h"

namespace davit::rule_engine {

using auth::Caller;
using auth::Permission;

template <typename Response, typename Call>
grpc::Status RuleEngineService::Answer(grpc::ServerContext& context, Permission permission, Response& response,
                                       Call call) {
  const absl::StatusOr<Caller> caller = guard_.Admit(context, permission);
  if (!caller.ok()) return rpc::ToGrpcStatus(caller.status());
  absl::StatusOr<Response> answer = call(*caller);
  if (!answer.ok()) return rpc::ToGrpcStatus(answer.status());
  response = *std::move(answer);
  return grpc::Status::OK;
}

grpc::Status RuleEngineService::CreateRule(grpc::ServerContext* context, const rules::v1::CreateRuleRequest* request,
                                           rules::v1::CreateRuleResponse* response) {
  return Answer(*context, Permission::kWriteRules, *response,
                [&](const Caller& caller) { return rules_.Create(caller, *request); });
}

grpc::Status RuleEngineService::GetRule(grpc::ServerContext* context, const rules::v1::GetRuleRequest* request,
                                        rules::v1::GetRuleResponse* response) {
  return Answer(*context, Permission::kRead, *response,
                [&](const Caller& caller) { return rules_.Get(caller, *request); });
}

grpc::Status RuleEngineService::ListRules(grpc::ServerContext* context, const rules::v1::ListRulesRequest* request,
                                          rules::v1::ListRulesResponse* response) {
  return Answer(*context, Permission::kRead, *response,
                [&](const Caller& caller) { return rules_.List(caller, *request); });
}

grpc::Status RuleEngineService::UpdateRule(grpc::ServerContext* context, const rules::v1::UpdateRuleRequest* request,
                                           rules::v1::UpdateRuleResponse* response) {
  return Answer(*context, Permission::kWriteRules, *response,
                [&](const Caller& caller) { return rules_.Update(caller, *request); });
}

grpc::Status RuleEngineService::DeleteRule(grpc::ServerContext* context, const rules::v1::DeleteRuleRequest* request,
                                           rules::v1::DeleteRuleResponse* response) {
  return Answer(*context, Permission::kWriteRules, *response,
                [&](const Caller& caller) { return rules_.Delete(caller, *request); });
}

grpc::Status RuleEngineService::EnableRule(grpc::ServerContext* context, const rules::v1::EnableRuleRequest* request,
                                           rules::v1::EnableRuleResponse* response) {
  return Answer(*context, Permission::kWriteRules, *response,
                [&](const Caller& caller) { return rules_.Enable(caller, *request); });
}

grpc::Status RuleEngineService::DisableRule(grpc::ServerContext* context, const rules::v1::DisableRuleRequest* request,
                                            rules::v1::DisableRuleResponse* response) {
  return Answer(*context, Permission::kWriteRules, *response,
                [&](const Caller& caller) { return rules_.Disable(caller, *request); });
}

grpc::Status RuleEngineService::PreviewTags(grpc::ServerContext* context, const rules::v1::PreviewTagsRequest* request,
                                            rules::v1::PreviewTagsResponse* response) {
  return Answer(*context, Permission::kRead, *response, [&](const Caller&) { return rules_.PreviewTags(*request); });
}

grpc::Status RuleEngineService::TriggerRule(grpc::ServerContext* context, const rules::v1::TriggerRuleRequest* request,
                                            rules::v1::TriggerRuleResponse* response) {
  return Answer(*context, Permission::kTriggerRules, *response,
                [&](const Caller& caller) { return events_.TriggerRule(caller, *request); });
}

grpc::Status RuleEngineService::IngestEvent(grpc::ServerContext* context, const rules::v1::IngestEventRequest* request,
                                            rules::v1::IngestEventResponse* response) {
  return Answer(*context, Permission::kIngestEvents, *response,
                [&](const Caller& caller) { return events_.Ingest(caller, *request); });
}

grpc::Status RuleEngineService::IngestEvents(grpc::ServerContext* context,
                                             const rules::v1::IngestEventsRequest* request,
                                             rules::v1::IngestEventsResponse* response) {
  return Answer(*context, Permission::kIngestEvents, *response,
                [&](const Caller& caller) { return events_.IngestAll(caller, *request); });
}

grpc::Status RuleEngineService::ListEvents(grpc::ServerContext* context, const rules::v1::ListEventsRequest* request,
                                           rules::v1::ListEventsResponse* response) {
  return Answer(*context, Permission::kRead, *response,
                [&](const Caller& caller) { return events_.List(caller, *request); });
}

grpc::Status RuleEngineService::GetEvent(grpc::ServerContext* context, const rules::v1::GetEventRequest* request,
                                         rules::v1::GetEventResponse* response) {
  return Answer(*context, Permission::kRead, *response,
                [&](const Caller& caller) { return events_.Get(caller, *request); });
}

grpc::Status RuleEngineService::SimulateRule(grpc::ServerContext* context,
                                             const rules::v1::SimulateRuleRequest* request,
                                             rules::v1::SimulateRuleResponse* response) {
  return Answer(*context, Permission::kRead, *response,
                [&](const Caller& caller) { return simulations_.Simulate(caller, *request); });
}

grpc::Status RuleEngineService::ReplayEvent(grpc::ServerContext* context, const rules::v1::ReplayEventRequest* request,
                                            rules::v1::ReplayEventResponse* response) {
  return Answer(*context, Permission::kTriggerRules, *response,
                [&](const Caller& caller) { return events_.Replay(caller, *request); });
}

}  // namespace davit::rule_engine
