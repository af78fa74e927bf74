// Implements scheduler_service.h.
#include "services/scheduler/scheduler_service.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/hash.h"
#include "libs/ids/ids.h"
#include "libs/recipe/policy.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/build_spec.h"
#include "services/scheduler/conversion.h"
#include "services/scheduler/unary_call.h"

namespace davit::scheduler {
namespace {

constexpr size_t kMaxRequestIdBytes = 200;
constexpr size_t kMaxRequestedByBytes = 200;
constexpr int kMaxPageSize = 500;
constexpr int kDefaultPageSize = 50;

// The same bytes for equal messages, maps included.
std::string CanonicalBytes(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

absl::StatusOr<int> PageSize(int requested) {
  if (requested < 0 || requested > kMaxPageSize) {
    return absl::InvalidArgumentError(absl::StrCat("page_size: 1 to ", kMaxPageSize, " is allowed, or 0"));
  }
  return requested == 0 ? kDefaultPageSize : requested;
}

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("request_id: over ", kMaxRequestIdBytes, " characters"));
}

// What is kept of where a build comes from: only the rule-engine may name rules and events.
v1::BuildOrigin KeptOrigin(const auth::Caller& caller, const v1::BuildOrigin& given) {
  v1::BuildOrigin origin;
  if (caller.role == auth::Role::kRuleEngine) origin = given;
  origin.clear_retry_of();
  origin.set_requested_by(given.requested_by().empty() ? caller.name
                                                       : StorableText(given.requested_by(), kMaxRequestedByBytes));
  return origin;
}

}  // namespace

SchedulerService::SchedulerService(const SchedulerServiceDeps& deps, const ReadCallDeps& read_deps,
                                   const UploadCallDeps& upload_deps)
    : deps_(deps), read_deps_(read_deps), upload_deps_(upload_deps) {}

absl::StatusOr<SchedulerService::Admitted> SchedulerService::Admit(grpc::CallbackServerContext& context,
                                                                   auth::Permission permission,
                                                                   const std::string& project) {
  DAVIT_ASSIGN_OR_RETURN(auth::Caller caller, deps_.guard.Admit(context, permission));
  DAVIT_ASSIGN_OR_RETURN(std::string resolved, auth::ResolveProject(caller, project));
  return Admitted{std::move(caller), std::move(resolved)};
}

grpc::ServerUnaryReactor* SchedulerService::CreateBuild(grpc::CallbackServerContext* context,
                                                        const v1::CreateBuildRequest* request,
                                                        v1::CreateBuildResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this] { return DoCreateBuild(*context, *request, *response); });
}

absl::Status SchedulerService::DoCreateBuild(grpc::CallbackServerContext& context,
                                             const v1::CreateBuildRequest& request, v1::CreateBuildResponse& response) {
  DAVIT_ASSIGN_OR_RETURN(const Admitted admitted, Admit(context, auth::Permission::kCreateBuilds, request.project()));
  DAVIT_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  v1::CreateBuildRequest normal;
  *normal.mutable_spec() = request.spec();
  DAVIT_RETURN_IF_ERROR(NormalizeSpec(*normal.mutable_spec()));
  *normal.mutable_policy() = request.policy();
  DAVIT_RETURN_IF_ERROR(recipe::NormalizePolicy("policy", *normal.mutable_policy()));
  // A request without a policy is the same as before there were any.
  if (normal.policy().ByteSizeLong() == 0) normal.clear_policy();
  *normal.mutable_origin() = KeptOrigin(admitted.caller, request.origin());
  const std::string digest = crypto::Sha256(CanonicalBytes(normal));
  CreatedBuild created;
  std::optional<BuildRecord> known;
  if (!request.request_id().empty()) {
    // Before the revision is resolved: a repeated request must not depend on the git server, nor mean another commit.
    DAVIT_ASSIGN_OR_RETURN(known, deps_.builds.FindByRequest(admitted.project, request.request_id()));
  }
  if (!known.has_value()) {
    DAVIT_RETURN_IF_ERROR(Resolve(admitted, *normal.mutable_spec()));
  }
  DAVIT_ASSIGN_OR_RETURN(created, Queue(admitted, request.request_id(), digest, normal));
  *response.mutable_build() = ToProto(created.build);
  response.set_duplicate(created.duplicate);
  return absl::OkStatus();
}

absl::Status SchedulerService::Resolve(const Admitted& admitted, v1::BuildSpec& spec) {
  const std::string& request_id = admitted.caller.request_id;
  if (spec.has_upload()) {
    const absl::Status found = deps_.uploads.Get(admitted.project, spec.upload().upload_id()).status();
    DAVIT_RETURN_IF_ERROR(Annotate(found, "spec.upload.upload_id"));
  } else {
    v1::GitSource& git = *spec.mutable_git();
    const std::string& revision = git.commit().empty() ? git.ref() : git.commit();
    const absl::StatusOr<ResolvedRevision> resolved = deps_.token_registry.ResolveRevision(
        admitted.project, git.connection_id(), git.repository(), revision, request_id);
    DAVIT_RETURN_IF_ERROR(Annotate(resolved.status(), "spec.git"));
    if (git.commit().empty()) git.set_ref(resolved->ref);
    git.set_commit(resolved->commit);
  }
  for (int i = 0; i < spec.recipe().secrets_size() && admitted.caller.role != auth::Role::kRuleEngine; ++i) {
    // A rule's push is taken in whatever became of its secrets: its build says what is missing, where people look.
    const absl::Status there =
        deps_.token_registry.CheckSecret(admitted.project, spec.recipe().secrets(i).secret(), request_id);
    DAVIT_RETURN_IF_ERROR(Annotate(there, absl::StrCat("spec.recipe.secrets[", i, "].secret")));
  }
  const absl::StatusOr<std::string> credential = deps_.token_registry.ResolveRegistryCredential(
      admitted.project, RegistryOf(spec), spec.destination().registry_credential_id(), request_id);
  DAVIT_RETURN_IF_ERROR(Annotate(credential.status(), "spec.destination.registry_credential_id"));
  spec.mutable_destination()->set_registry_credential_id(*credential);
  return absl::OkStatus();
}

absl::StatusOr<CreatedBuild> SchedulerService::Queue(const Admitted& admitted, const std::string& request_id,
                                                     const std::string& request_digest,
                                                     const v1::CreateBuildRequest& wanted) {
  NewBuild build;
  build.id = NewId("bld", deps_.clock, deps_.random);
  build.project = admitted.project;
  build.request_id = request_id;
  build.request_digest = request_digest;
  DescribeSpec(wanted.spec(), build);
  build.rule_id = wanted.origin().rule_id();
  build.event_id = wanted.origin().event_id();
  build.requested_by = wanted.origin().requested_by();
  build.retry_of = wanted.origin().retry_of();
  DescribePolicy(wanted.policy(), build);
  DAVIT_ASSIGN_OR_RETURN(CreatedBuild created, deps_.builds.Create(build));
  for (const std::string& older : created.superseded) deps_.hub.Notify(older, Topic::kBuild);
  if (!created.duplicate) deps_.dispatcher.Wake();
  return created;
}

grpc::ServerReadReactor<v1::UploadContextRequest>* SchedulerService::UploadContext(
    grpc::CallbackServerContext* context, v1::UploadContextResponse* response) {
  return StartUpload(upload_deps_, context, response);
}

grpc::ServerUnaryReactor* SchedulerService::GetBuild(grpc::CallbackServerContext* context,
                                                     const v1::GetBuildRequest* request,
                                                     v1::GetBuildResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const Admitted admitted, Admit(*context, auth::Permission::kRead, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const BuildRecord build,
                           deps_.builds.Get(admitted.project, request->id(), BuildDetail::kFull));
    *response->mutable_build() = ToProto(build);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SchedulerService::ListBuilds(grpc::CallbackServerContext* context,
                                                       const v1::ListBuildsRequest* request,
                                                       v1::ListBuildsResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this] { return DoListBuilds(*context, *request, *response); });
}

absl::Status SchedulerService::DoListBuilds(grpc::CallbackServerContext& context, const v1::ListBuildsRequest& request,
                                            v1::ListBuildsResponse& response) {
  DAVIT_ASSIGN_OR_RETURN(const Admitted admitted, Admit(context, auth::Permission::kRead, request.project()));
  DAVIT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  BuildFilter filter;
  for (const int state : request.states()) {
    if (!v1::BuildState_IsValid(state) || state == v1::BUILD_STATE_UNSPECIFIED) {
      return absl::InvalidArgumentError(absl::StrCat("states: ", state, " is not a state"));
    }
    filter.states.push_back(static_cast<BuildState>(state));
  }
  filter.repository = request.repository();
  filter.rule_id = request.rule_id();
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &filter.before_sequence)) {
    return absl::InvalidArgumentError("page_token: not one that ListBuilds gave");
  }
  filter.limit = page_size + 1;
  DAVIT_ASSIGN_OR_RETURN(std::vector<BuildRecord> builds, deps_.builds.List(admitted.project, filter));
  if (static_cast<int>(builds.size()) > page_size) {
    builds.resize(static_cast<size_t>(page_size));
    response.set_next_page_token(absl::StrCat(builds.back().sequence));
  }
  for (const BuildRecord& build : builds) *response.add_builds() = ToProto(build);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* SchedulerService::CancelBuild(grpc::CallbackServerContext* context,
                                                        const v1::CancelBuildRequest* request,
                                                        v1::CancelBuildResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const Admitted admitted, Admit(*context, auth::Permission::kRunBuilds, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const BuildRecord build, deps_.builds.Cancel(admitted.project, request->id()));
    deps_.hub.Notify(build.id, Topic::kBuild);
    *response->mutable_build() = ToProto(build);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SchedulerService::RetryBuild(grpc::CallbackServerContext* context,
                                                       const v1::RetryBuildRequest* request,
                                                       v1::RetryBuildResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this] { return DoRetryBuild(*context, *request, *response); });
}

absl::Status SchedulerService::DoRetryBuild(grpc::CallbackServerContext& context, const v1::RetryBuildRequest& request,
                                            v1::RetryBuildResponse& response) {
  DAVIT_ASSIGN_OR_RETURN(const Admitted admitted, Admit(context, auth::Permission::kRunBuilds, request.project()));
  DAVIT_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  DAVIT_ASSIGN_OR_RETURN(const BuildRecord original,
                         deps_.builds.Get(admitted.project, request.id(), BuildDetail::kBrief));
  if (!IsTerminal(original.state)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the build cannot be repeated before it has ended: it is ", BuildStateName(original.state)));
  }
  v1::CreateBuildRequest wanted;
  v1::BuildSpec& spec = *wanted.mutable_spec();
  if (!spec.ParseFromString(original.spec) || !wanted.mutable_policy()->ParseFromString(original.policy)) {
    return absl::InternalError("the stored specification cannot be read");
  }
  // It may be of an older commit than what waits or runs now.
  wanted.mutable_policy()->clear_supersede();
  if (spec.has_upload()) {
    const absl::Status found = deps_.uploads.Get(admitted.project, spec.upload().upload_id()).status();
    DAVIT_RETURN_IF_ERROR(Annotate(found, "the build cannot be repeated: its upload is not kept any more"));
  }
  v1::BuildOrigin& origin = *wanted.mutable_origin();
  origin.set_rule_id(original.rule_id);
  origin.set_event_id(original.event_id);
  origin.set_requested_by(admitted.caller.name);
  origin.set_retry_of(original.id);
  DAVIT_ASSIGN_OR_RETURN(
      const CreatedBuild created,
      Queue(admitted, request.request_id(), crypto::Sha256(absl::StrCat("retry ", original.id)), wanted));
  *response.mutable_build() = ToProto(created.build);
  return absl::OkStatus();
}

grpc::ServerWriteReactor<v1::WatchBuildResponse>* SchedulerService::WatchBuild(grpc::CallbackServerContext* context,
                                                                               const v1::WatchBuildRequest* request) {
  return StartWatch(read_deps_, context, request);
}

grpc::ServerWriteReactor<v1::ReadLogResponse>* SchedulerService::ReadLog(grpc::CallbackServerContext* context,
                                                                         const v1::ReadLogRequest* request) {
  return StartReadLog(read_deps_, context, request);
}

grpc::ServerUnaryReactor* SchedulerService::ExplainQueue(grpc::CallbackServerContext* context,
                                                         const v1::ExplainQueueRequest* request,
                                                         v1::ExplainQueueResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const Admitted admitted, Admit(*context, auth::Permission::kRead, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const QueueExplanation explanation,
                           deps_.queue.Explain(admitted.project, request->build_id(), deps_.agent_present_within));
    *response = ToProto(explanation);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SchedulerService::ListAgents(grpc::CallbackServerContext* context,
                                                       const v1::ListAgentsRequest* request,
                                                       v1::ListAgentsResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this] { return DoListAgents(*context, *request, *response); });
}

absl::Status SchedulerService::DoListAgents(grpc::CallbackServerContext& context, const v1::ListAgentsRequest& request,
                                            v1::ListAgentsResponse& response) {
  DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, deps_.guard.Admit(context, auth::Permission::kRead));
  DAVIT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  DAVIT_ASSIGN_OR_RETURN(std::vector<AgentRecord> agents,
                         deps_.agents.List(caller.project, request.page_token(), page_size + 1));
  if (static_cast<int>(agents.size()) > page_size) {
    agents.resize(static_cast<size_t>(page_size));
    response.set_next_page_token(agents.back().name);
  }
  for (const AgentRecord& agent : agents) *response.add_agents() = ToProto(agent);
  return absl::OkStatus();
}

absl::StatusOr<AgentRecord> SchedulerService::SetDrain(grpc::CallbackServerContext& context, const std::string& id,
                                                       DrainWish wish) {
  DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, deps_.guard.Admit(context, auth::Permission::kOperateSystem));
  DAVIT_ASSIGN_OR_RETURN(AgentRecord agent, deps_.agents.SetDrain(caller.project, id, wish));
  deps_.dispatcher.Wake();
  return agent;
}

grpc::ServerUnaryReactor* SchedulerService::DrainAgent(grpc::CallbackServerContext* context,
                                                       const v1::DrainAgentRequest* request,
                                                       v1::DrainAgentResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const AgentRecord agent, SetDrain(*context, request->id(), DrainWish::kDrain));
    *response->mutable_agent() = ToProto(agent);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SchedulerService::UndrainAgent(grpc::CallbackServerContext* context,
                                                         const v1::UndrainAgentRequest* request,
                                                         v1::UndrainAgentResponse* response) {
  return AnswerOn(deps_.executor, context, [=, this]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const AgentRecord agent, SetDrain(*context, request->id(), DrainWish::kUndrain));
    *response->mutable_agent() = ToProto(agent);
    return absl::OkStatus();
  });
}

}  // namespace davit::scheduler
