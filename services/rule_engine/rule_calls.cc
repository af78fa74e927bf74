// The calls about rules.
#include "services/rule_engine/rule_calls.h"

#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/time_util.h>

#include <array>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/page_token.h"
#include "services/rule_engine/rule_collisions.h"
#include "services/rule_engine/rule_conversion.h"
#include "services/rule_engine/rule_matcher.h"
#include "services/rule_engine/rule_validation.h"

namespace davit::rule_engine {
namespace {

using google::protobuf::util::FieldMaskUtil;
using google::protobuf::util::TimeUtil;

constexpr std::array kWritable = {"display_name", "trigger", "recipe", "destination", "tag_templates", "policy"};
constexpr char kExampleCommit[] = "0123456789abcdef0123456789abcdef01234567";
constexpr int kMaxTemplates = 10;
// Writers who send no etag do not want to hear of each other.
constexpr int kUpdateAttempts = 5;

absl::Status CheckMask(const google::protobuf::FieldMask& mask) {
  constexpr absl::string_view kAccepted =
      "accepted: display_name, trigger, recipe, destination, tag_templates, policy, paths into them";
  if (mask.paths().empty()) return absl::InvalidArgumentError(absl::StrCat("update_mask: names no field; ", kAccepted));
  for (const std::string& path : mask.paths()) {
    bool writable = false;
    for (const absl::string_view field : kWritable) {
      writable = writable || path == field || absl::StartsWith(path, absl::StrCat(field, "."));
    }
    if (!writable || !FieldMaskUtil::IsValidPath<rules::v1::Rule>(path)) {
      return absl::InvalidArgumentError(absl::StrCat("update_mask: \"", path, "\" cannot be changed; ", kAccepted));
    }
  }
  return absl::OkStatus();
}

// What decides whether a rule's secrets must be looked for.
std::string SecretNames(const Rule& rule) {
  return absl::StrJoin(rule.recipe.secrets(), " ", [](std::string* out, const common::v1::RecipeSecret& secret) {
    absl::StrAppend(out, secret.secret());
  });
}

void ApplyMask(const rules::v1::UpdateRuleRequest& request, Rule& rule) {
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  rules::v1::Rule message = ToProto(rule);
  FieldMaskUtil::MergeMessageTo(request.rule(), request.update_mask(), options, &message);
  AssignWritable(message, rule);
}

}  // namespace

absl::StatusOr<rules::v1::CreateRuleResponse> RuleCalls::Create(const auth::Caller& caller,
                                                                const rules::v1::CreateRuleRequest& request) {
  Rule rule;
  DAVIT_ASSIGN_OR_RETURN(rule.project, auth::ResolveProject(caller, request.project()));
  AssignWritable(request.rule(), rule);
  DAVIT_RETURN_IF_ERROR(ValidateRule(rule));
  const absl::StatusOr<SourceConnection> connection =
      directory_.GetConnection(rule.project, rule.connection_id, caller.request_id);
  if (!connection.ok()) return Annotate(connection.status(), "rule.connection_id");
  rule.repository_case = connection->repository_case;
  DAVIT_RETURN_IF_ERROR(CheckCredential(rule, caller.request_id));
  DAVIT_RETURN_IF_ERROR(CheckSecrets(rule, caller.request_id));
  DAVIT_ASSIGN_OR_RETURN(const Rule stored, rules_.Create(rule));
  rules::v1::CreateRuleResponse response;
  *response.mutable_rule() = ToProto(stored);
  for (std::string& warning : Warnings(stored)) response.add_warnings(std::move(warning));
  return response;
}

absl::StatusOr<rules::v1::GetRuleResponse> RuleCalls::Get(const auth::Caller& caller,
                                                          const rules::v1::GetRuleRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_ASSIGN_OR_RETURN(const Rule rule, rules_.Get(project, request.id()));
  rules::v1::GetRuleResponse response;
  *response.mutable_rule() = ToProto(rule);
  return response;
}

absl::StatusOr<rules::v1::ListRulesResponse> RuleCalls::List(const auth::Caller& caller,
                                                             const rules::v1::ListRulesRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  DAVIT_ASSIGN_OR_RETURN(const std::string after, DecodePageToken(request.page_token()));
  DAVIT_ASSIGN_OR_RETURN(
      const std::vector<Rule> rules,
      rules_.List(project, RuleFilter{request.connection_id(), request.repository()}, after, page_size + 1));
  rules::v1::ListRulesResponse response;
  for (const Rule& rule : rules) {
    if (response.rules_size() == page_size) {
      response.set_next_page_token(EncodePageToken(response.rules(page_size - 1).display_name()));
      break;
    }
    *response.add_rules() = ToProto(rule);
  }
  return response;
}

absl::StatusOr<rules::v1::UpdateRuleResponse> RuleCalls::Update(const auth::Caller& caller,
                                                                const rules::v1::UpdateRuleRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_RETURN_IF_ERROR(CheckMask(request.update_mask()));
  absl::StatusOr<Rule> stored = UpdateOnce(caller, project, request);
  for (int i = 1; i < kUpdateAttempts && request.rule().etag().empty() && absl::IsAborted(stored.status()); ++i) {
    stored = UpdateOnce(caller, project, request);
  }
  if (!stored.ok()) return stored.status();
  rules::v1::UpdateRuleResponse response;
  *response.mutable_rule() = ToProto(*stored);
  for (std::string& warning : Warnings(*stored)) response.add_warnings(std::move(warning));
  return response;
}

absl::StatusOr<Rule> RuleCalls::UpdateOnce(const auth::Caller& caller, const std::string& project,
                                           const rules::v1::UpdateRuleRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(Rule rule, rules_.Get(project, request.rule().id()));
  const std::string credential_before = rule.destination.SerializeAsString();
  const std::string secrets_before = SecretNames(rule);
  if (!request.rule().etag().empty()) {
    // The store compares it with what it holds.
    DAVIT_ASSIGN_OR_RETURN(rule.version, VersionFromEtag(request.rule().etag()));
  }
  ApplyMask(request, rule);
  DAVIT_RETURN_IF_ERROR(ValidateRule(rule));
  if (rule.destination.SerializeAsString() != credential_before) {
    DAVIT_RETURN_IF_ERROR(CheckCredential(rule, caller.request_id));
  }
  if (SecretNames(rule) != secrets_before) DAVIT_RETURN_IF_ERROR(CheckSecrets(rule, caller.request_id));
  return rules_.Update(rule);
}

absl::StatusOr<rules::v1::DeleteRuleResponse> RuleCalls::Delete(const auth::Caller& caller,
                                                                const rules::v1::DeleteRuleRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_RETURN_IF_ERROR(rules_.Delete(project, request.id()));
  return rules::v1::DeleteRuleResponse();
}

absl::StatusOr<rules::v1::EnableRuleResponse> RuleCalls::Enable(const auth::Caller& caller,
                                                                const rules::v1::EnableRuleRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_ASSIGN_OR_RETURN(const Rule rule, rules_.SetEnabled(project, request.id(), true));
  rules::v1::EnableRuleResponse response;
  *response.mutable_rule() = ToProto(rule);
  return response;
}

absl::StatusOr<rules::v1::DisableRuleResponse> RuleCalls::Disable(const auth::Caller& caller,
                                                                  const rules::v1::DisableRuleRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_ASSIGN_OR_RETURN(const Rule rule, rules_.SetEnabled(project, request.id(), false));
  rules::v1::DisableRuleResponse response;
  *response.mutable_rule() = ToProto(rule);
  return response;
}

absl::StatusOr<rules::v1::PreviewTagsResponse> RuleCalls::PreviewTags(const rules::v1::PreviewTagsRequest& request) {
  if (request.tag_templates().empty() || request.tag_templates_size() > kMaxTemplates) {
    return absl::InvalidArgumentError(
        "tag_templates: 1 to 10 templates are needed, for example \"{branch}-{commit:7}\"");
  }
  TagInputs inputs;
  absl::StatusOr<GitRef> ref = GitRef::Parse(request.ref());
  if (!ref.ok()) return Annotate(ref.status(), "ref");
  inputs.ref = *std::move(ref);
  inputs.commit = request.commit().empty() ? kExampleCommit : request.commit();
  if (!IsCommitId(inputs.commit)) {
    return absl::InvalidArgumentError("commit: 40 lower-case hexadecimal digits are expected");
  }
  if (request.number() < 0) return absl::InvalidArgumentError("number: a build number is 1 or more (0 = an example)");
  if (request.number() > 0) inputs.number = request.number();
  inputs.time = clock_.Now();
  if (request.has_time()) {
    const int64_t seconds = request.time().seconds();
    if (seconds < TimeUtil::kTimestampMinSeconds || seconds > TimeUtil::kTimestampMaxSeconds) {
      return absl::InvalidArgumentError("time: outside the years 1 to 9999");
    }
    inputs.time = absl::FromUnixSeconds(request.time().seconds());
  }
  DAVIT_ASSIGN_OR_RETURN(const std::vector<std::string> tags,
                         RenderTags({request.tag_templates().begin(), request.tag_templates().end()}, inputs));
  rules::v1::PreviewTagsResponse response;
  response.mutable_tags()->Assign(tags.begin(), tags.end());
  return response;
}

std::vector<std::string> RuleCalls::Warnings(const Rule& stored) {
  const absl::StatusOr<std::vector<Rule>> others = rules_.ListOfImage(stored);
  // The rule is stored: a failure to look for warnings must not look like a failure to store it.
  if (!others.ok()) return {absl::StrCat("not checked against other rules: ", others.status().message())};
  return FindCollisions(stored, *others);
}

absl::Status RuleCalls::CheckCredential(const Rule& rule, const std::string& request_id) {
  const std::string& id = rule.destination.registry_credential_id();
  if (id.empty()) return absl::OkStatus();
  constexpr absl::string_view kField = "rule.destination.registry_credential_id";
  const absl::StatusOr<DestinationCredential> credential =
      directory_.GetRegistryCredential(rule.project, id, request_id);
  if (!credential.ok()) return Annotate(credential.status(), kField);
  DAVIT_ASSIGN_OR_RETURN(const oci::Reference image, oci::Reference::Parse(rule.destination.repository()));
  if (image.registry == credential->registry) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(kField, ": is for the registry ", credential->registry, ", but the image goes to ", image.registry));
}

absl::Status RuleCalls::CheckSecrets(const Rule& rule, const std::string& request_id) {
  for (int i = 0; i < rule.recipe.secrets_size(); ++i) {
    const absl::Status there = directory_.CheckSecret(rule.project, rule.recipe.secrets(i).secret(), request_id);
    DAVIT_RETURN_IF_ERROR(Annotate(there, absl::StrCat("rule.recipe.secrets[", i, "].secret")));
  }
  return absl::OkStatus();
}

}  // namespace davit::rule_engine
