// The IdentityService of davit.registry.v1: messages ⇄ ApiTokenDirectory, nothing else. Runs on gRPC's threads.
#pragma once

#include "davit/registry/v1/identity.grpc.pb.h"
#include "libs/auth/call_guard.h"
#include "services/token_registry/api_token_directory.h"
#include "services/token_registry/store.h"
#include "services/token_registry/store_authenticator.h"

namespace davit::token_registry {

class IdentityServiceImpl : public registry::v1::IdentityService::Service {
 public:
  // All parameters must outlive the service.
  IdentityServiceImpl(auth::CallGuard& guard, Store& store, ApiTokenDirectory& tokens,
                      StoreAuthenticator& authenticator)
      : guard_(guard), store_(store), tokens_(tokens), authenticator_(authenticator) {}

  grpc::Status CreateApiToken(grpc::ServerContext* context, const registry::v1::CreateApiTokenRequest* request,
                              registry::v1::CreateApiTokenResponse* response) override;
  grpc::Status ListApiTokens(grpc::ServerContext* context, const registry::v1::ListApiTokensRequest* request,
                             registry::v1::ListApiTokensResponse* response) override;
  grpc::Status RevokeApiToken(grpc::ServerContext* context, const registry::v1::RevokeApiTokenRequest* request,
                              registry::v1::RevokeApiTokenResponse* response) override;
  grpc::Status IntrospectToken(grpc::ServerContext* context, const registry::v1::IntrospectTokenRequest* request,
                               registry::v1::IntrospectTokenResponse* response) override;
  grpc::Status GetCaller(grpc::ServerContext* context, const registry::v1::GetCallerRequest* request,
                         registry::v1::GetCallerResponse* response) override;

 private:
  auth::CallGuard& guard_;
  Store& store_;
  ApiTokenDirectory& tokens_;
  StoreAuthenticator& authenticator_;
};

}  // namespace davit::token_registry
