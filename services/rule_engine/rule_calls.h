// What the RPCs about rules do, once the caller is admitted. Knows protobuf messages but not gRPC. Thread-safe; owns
// nothing.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/auth/caller.h"
#include "libs/clock/clock.h"
#include "services/rule_engine/rule_store.h"
#include "services/rule_engine/source_directory.h"

namespace davit::rule_engine {

// See davit.rules.v1.RuleEngine for each call.
class RuleCalls {
 public:
  // All parameters must outlive this.
  RuleCalls(RuleStore& rules, SourceDirectory& directory, Clock& clock)
      : rules_(rules), directory_(directory), clock_(clock) {}

  absl::StatusOr<rules::v1::CreateRuleResponse> Create(const auth::Caller& caller,
                                                       const rules::v1::CreateRuleRequest& request);
  absl::StatusOr<rules::v1::GetRuleResponse> Get(const auth::Caller& caller, const rules::v1::GetRuleRequest& request);
  absl::StatusOr<rules::v1::ListRulesResponse> List(const auth::Caller& caller,
                                                    const rules::v1::ListRulesRequest& request);
  absl::StatusOr<rules::v1::UpdateRuleResponse> Update(const auth::Caller& caller,
                                                       const rules::v1::UpdateRuleRequest& request);
  absl::StatusOr<rules::v1::DeleteRuleResponse> Delete(const auth::Caller& caller,
                                                       const rules::v1::DeleteRuleRequest& request);
  absl::StatusOr<rules::v1::EnableRuleResponse> Enable(const auth::Caller& caller,
                                                       const rules::v1::EnableRuleRequest& request);
  absl::StatusOr<rules::v1::DisableRuleResponse> Disable(const auth::Caller& caller,
                                                         const rules::v1::DisableRuleRequest& request);
  absl::StatusOr<rules::v1::PreviewTagsResponse> PreviewTags(const rules::v1::PreviewTagsRequest& request);

 private:
  // Reads the rule, applies the masked fields, validates and stores.
  absl::StatusOr<Rule> UpdateOnce(const auth::Caller& caller, const std::string& project,
                                  const rules::v1::UpdateRuleRequest& request);
  // What the response to saving the rule warns about.
  std::vector<std::string> Warnings(const Rule& stored);
  // NOT_FOUND or INVALID_ARGUMENT when the destination's credential does not exist or is of another registry.
  absl::Status CheckCredential(const Rule& rule, const std::string& request_id);
  // NOT_FOUND when the project lacks one of the recipe's secrets.
  absl::Status CheckSecrets(const Rule& rule, const std::string& request_id);

  RuleStore& rules_;
  SourceDirectory& directory_;
  Clock& clock_;
};

}  // namespace davit::rule_engine
