// Implements of token_registry_service.h how connections come by their tokens: rotation and OAuth.
#include <utility>

#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/proto_conversion.h"
#include "services/token_registry/token_registry_service.h"

namespace davit::token_registry {

using auth::Permission;

namespace {

absl::StatusOr<OAuthWish> ReadWish(const registry::v1::BeginOAuthRequest& request, const std::string& project) {
  OAuthWish wish;
  wish.project = project;
  wish.connection_id = request.connection().id();
  if (wish.connection_id.empty()) {
    DAVIT_ASSIGN_OR_RETURN(wish.provider, FromProto(request.connection().provider()));
    wish.display_name = request.connection().display_name();
    wish.base_url = request.connection().base_url();
  }
  wish.redirect_uri = request.redirect_uri();
  switch (request.flow()) {
    case registry::v1::AUTHORIZATION_FLOW_BROWSER:
      wish.flow = OAuthAuthorization::Flow::kBrowser;
      return wish;
    case registry::v1::AUTHORIZATION_FLOW_DEVICE:
      if (!wish.redirect_uri.empty()) {
        return absl::InvalidArgumentError("redirect_uri: must be empty for AUTHORIZATION_FLOW_DEVICE");
      }
      wish.flow = OAuthAuthorization::Flow::kDevice;
      return wish;
    default:
      return absl::InvalidArgumentError("flow: required: AUTHORIZATION_FLOW_BROWSER or AUTHORIZATION_FLOW_DEVICE");
  }
}

}  // namespace

grpc::Status TokenRegistryServiceImpl::RotateConnectionToken(grpc::ServerContext* context,
                                                             const registry::v1::RotateConnectionTokenRequest* request,
                                                             registry::v1::RotateConnectionTokenResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(
        const Connection connection,
        connections_.RotateToken(project, request->id(), crypto::SecretString(request->token()), request->username()));
    ToProto(connection, response->mutable_connection());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::BeginOAuth(grpc::ServerContext* context,
                                                  const registry::v1::BeginOAuthRequest* request,
                                                  registry::v1::BeginOAuthResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(OAuthWish wish, ReadWish(*request, project));
    DAVIT_ASSIGN_OR_RETURN(const OAuthBeginning beginning, oauth_.Begin(caller, std::move(wish)));
    response->set_state(beginning.state);
    response->set_authorize_url(beginning.authorize_url);
    response->set_user_code(beginning.user_code);
    if (beginning.poll_interval > absl::ZeroDuration()) {
      ToProto(beginning.poll_interval, response->mutable_poll_interval());
    }
    ToProto(beginning.expire_time, response->mutable_expire_time());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::FinishOAuth(grpc::ServerContext* context,
                                                   const registry::v1::FinishOAuthRequest* request,
                                                   registry::v1::FinishOAuthResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const OAuthEnd end,
                           oauth_.Finish(caller, project, request->state(), crypto::SecretString(request->code())));
    if (end.connection) {
      ToProto(*end.connection, response->mutable_connection());
    } else {
      ToProto(end.retry_after, response->mutable_retry_after());
    }
    return absl::OkStatus();
  }());
}

}  // namespace davit::token_registry
