// The gRPC service davit.rules.v1.RuleEngine: admits callers and hands requests to the calls. Runs on gRPC's threads.
#pragma once

#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/auth/call_guard.h"
#include "services/rule_engine/event_calls.h"
#include "services/rule_engine/rule_calls.h"
#include "services/rule_engine/simulation_calls.h"

namespace davit::rule_engine {

// Owns nothing. Which permission each RPC needs is in its body.
class RuleEngineService : public rules::v1::RuleEngine::Service {
 public:
  // All parameters must outlive the service.
  RuleEngineService(auth::CallGuard& guard, RuleCalls& rules, EventCalls& events, SimulationCalls& simulations)
      : guard_(guard), rules_(rules), events_(events), simulations_(simulations) {}

  grpc::Status CreateRule(grpc::ServerContext* context, const rules::v1::CreateRuleRequest* request,
                          rules::v1::CreateRuleResponse* response) override;
  grpc::Status GetRule(grpc::ServerContext* context, const rules::v1::GetRuleRequest* request,
                       rules::v1::GetRuleResponse* response) override;
  grpc::Status ListRules(grpc::ServerContext* context, const rules::v1::ListRulesRequest* request,
                         rules::v1::ListRulesResponse* response) override;
  grpc::Status UpdateRule(grpc::ServerContext* context, const rules::v1::UpdateRuleRequest* request,
                          rules::v1::UpdateRuleResponse* response) override;
  grpc::Status DeleteRule(grpc::ServerContext* context, const rules::v1::DeleteRuleRequest* request,
                          rules::v1::DeleteRuleResponse* response) override;
  grpc::Status EnableRule(grpc::ServerContext* context, const rules::v1::EnableRuleRequest* request,
                          rules::v1::EnableRuleResponse* response) override;
  grpc::Status DisableRule(grpc::ServerContext* context, const rules::v1::DisableRuleRequest* request,
                           rules::v1::DisableRuleResponse* response) override;
  grpc::Status PreviewTags(grpc::ServerContext* context, const rules::v1::PreviewTagsRequest* request,
                           rules::v1::PreviewTagsResponse* response) override;
  grpc::Status TriggerRule(grpc::ServerContext* context, const rules::v1::TriggerRuleRequest* request,
                           rules::v1::TriggerRuleResponse* response) override;
  grpc::Status SimulateRule(grpc::ServerContext* context, const rules::v1::SimulateRuleRequest* request,
                            rules::v1::SimulateRuleResponse* response) override;
  grpc::Status IngestEvent(grpc::ServerContext* context, const rules::v1::IngestEventRequest* request,
                           rules::v1::IngestEventResponse* response) override;
  grpc::Status IngestEvents(grpc::ServerContext* context, const rules::v1::IngestEventsRequest* request,
                            rules::v1::IngestEventsResponse* response) override;
  grpc::Status ListEvents(grpc::ServerContext* context, const rules::v1::ListEventsRequest* request,
                          rules::v1::ListEventsResponse* response) override;
  grpc::Status GetEvent(grpc::ServerContext* context, const rules::v1::GetEventRequest* request,
                        rules::v1::GetEventResponse* response) override;
  grpc::Status ReplayEvent(grpc::ServerContext* context, const rules::v1::ReplayEventRequest* request,
                           rules::v1::ReplayEventResponse* response) override;

 private:
  // Admits the caller, makes the call and fills in the response.
  template <typename Response, typename Call>
  grpc::Status Answer(grpc::ServerContext& context, auth::Permission permission, Response& response, Call call);

  auth::CallGuard& guard_;
  RuleCalls& rules_;
  EventCalls& events_;
  SimulationCalls& simulations_;
};

}  // namespace davit::rule_engine
