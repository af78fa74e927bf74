// Implements of token_registry_service.h how connections come by their tokens: rotation and OAuth.
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/proto_conversion.h"
#include "services/token_registry/token_registry_service.h"

namespace davit::token_registry {

using auth::Permission;

namespace {

absl::Status NoOAuthApplication() {
  return absl::FailedPreconditionError(
      "no OAuth application is configured for this server; use CreateConnection with an access token");
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

grpc::Status TokenRegistryServiceImpl::BeginOAuth(grpc::ServerContext* context, const registry::v1::BeginOAuthRequest*,
                                                  registry::v1::BeginOAuthResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_RETURN_IF_ERROR(guard_.Admit(*context, Permission::kWriteConnections).status());
    return NoOAuthApplication();
  }());
}

grpc::Status TokenRegistryServiceImpl::FinishOAuth(grpc::ServerContext* context,
                                                   const registry::v1::FinishOAuthRequest*,
                                                   registry::v1::FinishOAuthResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_RETURN_IF_ERROR(guard_.Admit(*context, Permission::kWriteConnections).status());
    return NoOAuthApplication();
  }());
}

}  // namespace davit::token_registry
