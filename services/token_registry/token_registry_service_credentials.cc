// Implements the registry credentials, webhooks and build credentials of token_registry_service.h.
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/page_token.h"
#include "services/token_registry/proto_conversion.h"
#include "services/token_registry/token_registry_service.h"

namespace davit::token_registry {

using auth::Permission;

namespace {

// The project of a request that must name it. INVALID_ARGUMENT `project: required`.
absl::StatusOr<std::string> RequireProject(const auth::Caller& caller, const std::string& requested) {
  if (requested.empty()) return absl::InvalidArgumentError("project: required");
  return auth::ResolveProject(caller, requested);
}

}  // namespace

grpc::Status TokenRegistryServiceImpl::CreateRegistryCredential(
    grpc::ServerContext* context, const registry::v1::CreateRegistryCredentialRequest* request,
    registry::v1::CreateRegistryCredentialResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteRegistryCredentials));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    RegistryCredential draft;
    draft.project = project;
    draft.display_name = request->registry_credential().display_name();
    draft.registry = request->registry_credential().registry();
    draft.username = request->registry_credential().username();
    DAVIT_ASSIGN_OR_RETURN(const RegistryCredential made,
                           registry_credentials_.Create(std::move(draft), crypto::SecretString(request->password())));
    ToProto(made, response->mutable_registry_credential());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::GetRegistryCredential(grpc::ServerContext* context,
                                                             const registry::v1::GetRegistryCredentialRequest* request,
                                                             registry::v1::GetRegistryCredentialResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRead));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const RegistryCredential credential, store_.GetRegistryCredential(project, request->id()));
    ToProto(credential, response->mutable_registry_credential());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::ListRegistryCredentials(
    grpc::ServerContext* context, const registry::v1::ListRegistryCredentialsRequest* request,
    registry::v1::ListRegistryCredentialsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRead));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Page page, ParsePage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(auto credentials, store_.ListRegistryCredentials(project, OneMore(page)));
    response->set_next_page_token(CutToPage(credentials, page, &RegistryCredential::display_name));
    for (const RegistryCredential& credential : credentials) ToProto(credential, response->add_registry_credentials());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::DeleteRegistryCredential(
    grpc::ServerContext* context, const registry::v1::DeleteRegistryCredentialRequest* request,
    registry::v1::DeleteRegistryCredentialResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteRegistryCredentials));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_RETURN_IF_ERROR(store_.DeleteRegistryCredential(project, request->id()));
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::CreateWebhook(grpc::ServerContext* context,
                                                     const registry::v1::CreateWebhookRequest* request,
                                                     registry::v1::CreateWebhookResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const auto made, webhooks_.Create(project, request->connection_id(), request->repository()));
    ToProto(made.first, response->mutable_webhook());
    response->set_secret(made.second.Reveal());
    response->set_path("/hooks/" + made.first.id);
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::ListWebhooks(grpc::ServerContext* context,
                                                    const registry::v1::ListWebhooksRequest* request,
                                                    registry::v1::ListWebhooksResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRead));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Page page, ParsePage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(auto webhooks, store_.ListWebhooks(project, request->connection_id(), OneMore(page)));
    response->set_next_page_token(CutToPage(webhooks, page, &Webhook::id));
    for (const Webhook& webhook : webhooks) ToProto(webhook, response->add_webhooks());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::DeleteWebhook(grpc::ServerContext* context,
                                                     const registry::v1::DeleteWebhookRequest* request,
                                                     registry::v1::DeleteWebhookResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_RETURN_IF_ERROR(store_.DeleteWebhook(project, request->id()));
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::GetWebhookSecret(grpc::ServerContext* context,
                                                        const registry::v1::GetWebhookSecretRequest* request,
                                                        registry::v1::GetWebhookSecretResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReadWebhookSecrets));
    DAVIT_ASSIGN_OR_RETURN(const auto found, webhooks_.GetSecret(caller, request->id()));
    ToProto(found.first, response->mutable_webhook());
    response->set_secret(found.second.Reveal());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::GrantBuildCredentials(grpc::ServerContext* context,
                                                             const registry::v1::GrantBuildCredentialsRequest* request,
                                                             registry::v1::GrantBuildCredentialsResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kGrantBuildCredentials));
    BuildGrant grant;
    DAVIT_ASSIGN_OR_RETURN(grant.project, RequireProject(caller, request->project()));
    grant.build_id = request->build_id();
    grant.fence = request->fence();
    grant.scope.connection_id = request->scope().connection_id();
    grant.scope.repository = request->scope().repository();
    grant.scope.registry_credential_id = request->scope().registry_credential_id();
    grant.scope.image_repository = request->scope().image_repository();
    grant.scope.secrets.assign(request->scope().secrets().begin(), request->scope().secrets().end());
    if (!request->has_expire_time()) return absl::InvalidArgumentError("expire_time: required");
    grant.expire_time = FromProto(request->expire_time());
    DAVIT_RETURN_IF_ERROR(broker_.Grant(grant));
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::RevokeBuildCredentials(
    grpc::ServerContext* context, const registry::v1::RevokeBuildCredentialsRequest* request,
    registry::v1::RevokeBuildCredentialsResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kGrantBuildCredentials));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, RequireProject(caller, request->project()));
    DAVIT_RETURN_IF_ERROR(broker_.Revoke(project, request->build_id(), request->fence()));
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::IssueBuildCredentials(grpc::ServerContext* context,
                                                             const registry::v1::IssueBuildCredentialsRequest* request,
                                                             registry::v1::IssueBuildCredentialsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kIssueBuildCredentials));
    DAVIT_ASSIGN_OR_RETURN(const BuildCredentials credentials,
                           broker_.IssueForBuild(caller, request->build_id(), request->fence()));
    if (credentials.source) ToProto(*credentials.source, response->mutable_source());
    if (credentials.registry) ToProto(*credentials.registry, response->mutable_registry());
    for (const auto& [name, value] : credentials.secrets) {
      registry::v1::SecretValue& issued = *response->add_secrets();
      issued.set_name(name);
      issued.set_value(value.Reveal());
    }
    ToProto(credentials.expire_time, response->mutable_expire_time());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::IssuePublishCredentials(
    grpc::ServerContext* context, const registry::v1::IssuePublishCredentialsRequest* request,
    registry::v1::IssuePublishCredentialsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kIssuePublishCredentials));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, RequireProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const RegistryAccess access,
                           broker_.IssueForPublishing(caller, project, request->build_id(),
                                                      request->registry_credential_id(), request->image_repository()));
    ToProto(access, response->mutable_registry());
    return absl::OkStatus();
  }());
}

}  // namespace davit::token_registry
