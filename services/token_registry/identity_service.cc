// Implements identity_service.h.
#include "services/token_registry/identity_service.h"

#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/page_token.h"
#include "services/token_registry/proto_conversion.h"

namespace davit::token_registry {
namespace {

using auth::Permission;

}  // namespace

grpc::Status IdentityServiceImpl::CreateApiToken(grpc::ServerContext* context,
                                                 const registry::v1::CreateApiTokenRequest* request,
                                                 registry::v1::CreateApiTokenResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kManageTokens));
    ApiToken draft;
    DAVIT_ASSIGN_OR_RETURN(draft.project, ResolveTokenProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(draft.role, auth::RoleFromNumber(request->role()));
    draft.display_name = request->display_name();
    if (request->has_expire_time()) draft.expire_time = FromProto(request->expire_time());
    DAVIT_ASSIGN_OR_RETURN(const auto made, tokens_.Create(caller, std::move(draft)));
    ToProto(made.first, response->mutable_api_token());
    response->set_token(made.second.Reveal());
    return absl::OkStatus();
  }());
}

grpc::Status IdentityServiceImpl::ListApiTokens(grpc::ServerContext* context,
                                                const registry::v1::ListApiTokensRequest* request,
                                                registry::v1::ListApiTokensResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kManageTokens));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, ResolveTokenProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Page page, ParsePage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(auto tokens, store_.ListApiTokens(project, OneMore(page)));
    response->set_next_page_token(CutToPage(tokens, page, &ApiToken::id));
    for (const ApiToken& token : tokens) ToProto(token, response->add_api_tokens());
    return absl::OkStatus();
  }());
}

grpc::Status IdentityServiceImpl::RevokeApiToken(grpc::ServerContext* context,
                                                 const registry::v1::RevokeApiTokenRequest* request,
                                                 registry::v1::RevokeApiTokenResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kManageTokens));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, ResolveTokenProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const ApiToken token, tokens_.Revoke(project, request->id()));
    authenticator_.Forget(token.id);
    ToProto(token, response->mutable_api_token());
    return absl::OkStatus();
  }());
}

grpc::Status IdentityServiceImpl::IntrospectToken(grpc::ServerContext* context,
                                                  const registry::v1::IntrospectTokenRequest* request,
                                                  registry::v1::IntrospectTokenResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_RETURN_IF_ERROR(guard_.Admit(*context, Permission::kIntrospectTokens).status());
    const absl::StatusOr<ApiToken> token = tokens_.Find(request->token());
    if (absl::IsNotFound(token.status())) return absl::OkStatus();
    if (!token.ok()) return token.status();
    response->set_active(true);
    response->set_token_id(token->id);
    response->set_project(token->project);
    response->set_role(static_cast<registry::v1::Role>(token->role));
    if (token->expire_time != absl::InfiniteFuture()) ToProto(token->expire_time, response->mutable_expire_time());
    return absl::OkStatus();
  }());
}

grpc::Status IdentityServiceImpl::GetCaller(grpc::ServerContext* context, const registry::v1::GetCallerRequest*,
                                            registry::v1::GetCallerResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kAny));
    DAVIT_ASSIGN_OR_RETURN(const ApiToken token, store_.GetApiToken(caller.project, caller.token_id));
    ToProto(token, response->mutable_api_token());
    return absl::OkStatus();
  }());
}

}  // namespace davit::token_registry
