// Implements build_secrets_service.h.
#include "services/token_registry/build_secrets_service.h"

#include <google/protobuf/util/time_util.h>

#include <optional>
#include <string>
#include <utility>

#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/page_token.h"

namespace davit::token_registry {
namespace {

using auth::Permission;

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

void ToProto(const BuildSecret& secret, registry::v1::Secret* message) {
  message->set_id(secret.id);
  message->set_name(secret.name);
  message->set_project(secret.project);
  message->set_description(secret.description);
  message->set_version(secret.version);
  *message->mutable_create_time() = ToTimestamp(secret.create_time);
  *message->mutable_update_time() = ToTimestamp(secret.update_time);
}

}  // namespace

grpc::Status BuildSecretsServiceImpl::CreateSecret(grpc::ServerContext* context,
                                                   const registry::v1::CreateSecretRequest* request,
                                                   registry::v1::CreateSecretResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteSecrets));
    BuildSecret draft;
    DAVIT_ASSIGN_OR_RETURN(draft.project, auth::ResolveProject(caller, request->project()));
    draft.name = request->secret().name();
    draft.description = request->secret().description();
    DAVIT_ASSIGN_OR_RETURN(const BuildSecret made,
                           secrets_.Create(std::move(draft), crypto::SecretString(request->value())));
    ToProto(made, response->mutable_secret());
    return absl::OkStatus();
  }());
}

grpc::Status BuildSecretsServiceImpl::GetSecret(grpc::ServerContext* context,
                                                const registry::v1::GetSecretRequest* request,
                                                registry::v1::GetSecretResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRead));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const BuildSecret secret, store_.Get(project, request->name()));
    ToProto(secret, response->mutable_secret());
    return absl::OkStatus();
  }());
}

grpc::Status BuildSecretsServiceImpl::ListSecrets(grpc::ServerContext* context,
                                                  const registry::v1::ListSecretsRequest* request,
                                                  registry::v1::ListSecretsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRead));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Page page, ParsePage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(auto secrets, store_.List(project, OneMore(page)));
    response->set_next_page_token(CutToPage(secrets, page, &BuildSecret::name));
    for (const BuildSecret& secret : secrets) ToProto(secret, response->add_secrets());
    return absl::OkStatus();
  }());
}

grpc::Status BuildSecretsServiceImpl::UpdateSecret(grpc::ServerContext* context,
                                                   const registry::v1::UpdateSecretRequest* request,
                                                   registry::v1::UpdateSecretResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteSecrets));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    std::optional<crypto::SecretString> value;
    if (request->has_value()) value.emplace(request->value());
    std::optional<std::string> description;
    if (request->has_description()) description = request->description();
    DAVIT_ASSIGN_OR_RETURN(const BuildSecret secret, secrets_.Update(project, request->name(), value, description));
    ToProto(secret, response->mutable_secret());
    return absl::OkStatus();
  }());
}

grpc::Status BuildSecretsServiceImpl::DeleteSecret(grpc::ServerContext* context,
                                                   const registry::v1::DeleteSecretRequest* request,
                                                   registry::v1::DeleteSecretResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteSecrets));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    return store_.Delete(project, request->name());
  }());
}

}  // namespace davit::token_registry
