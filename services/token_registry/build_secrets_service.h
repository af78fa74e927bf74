// The BuildSecrets of davit.registry.v1: messages ⇄ BuildSecretDirectory, nothing else. Runs on gRPC's threads.
#pragma once

#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "libs/auth/call_guard.h"
#include "services/token_registry/build_secret_directory.h"
#include "services/token_registry/build_secret_store.h"

namespace davit::token_registry {

class BuildSecretsServiceImpl : public registry::v1::BuildSecrets::Service {
 public:
  // All parameters must outlive the service.
  BuildSecretsServiceImpl(auth::CallGuard& guard, BuildSecretStore& store, BuildSecretDirectory& secrets)
      : guard_(guard), store_(store), secrets_(secrets) {}

  grpc::Status CreateSecret(grpc::ServerContext* context, const registry::v1::CreateSecretRequest* request,
                            registry::v1::CreateSecretResponse* response) override;
  grpc::Status GetSecret(grpc::ServerContext* context, const registry::v1::GetSecretRequest* request,
                         registry::v1::GetSecretResponse* response) override;
  grpc::Status ListSecrets(grpc::ServerContext* context, const registry::v1::ListSecretsRequest* request,
                           registry::v1::ListSecretsResponse* response) override;
  grpc::Status UpdateSecret(grpc::ServerContext* context, const registry::v1::UpdateSecretRequest* request,
                            registry::v1::UpdateSecretResponse* response) override;
  grpc::Status DeleteSecret(grpc::ServerContext* context, const registry::v1::DeleteSecretRequest* request,
                            registry::v1::DeleteSecretResponse* response) override;

 private:
  auth::CallGuard& guard_;
  BuildSecretStore& store_;
  BuildSecretDirectory& secrets_;
};

}  // namespace davit::token_registry
