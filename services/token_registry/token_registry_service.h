// The TokenRegistry service of davit.registry.v1: messages ⇄ domain, nothing else. Runs on gRPC's threads.
#pragma once

#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/auth/call_guard.h"
#include "services/token_registry/build_credential_broker.h"
#include "services/token_registry/connection_directory.h"
#include "services/token_registry/hook_installer.h"
#include "services/token_registry/oauth_directory.h"
#include "services/token_registry/provider_directory.h"
#include "services/token_registry/registry_credential_directory.h"
#include "services/token_registry/store.h"
#include "services/token_registry/webhook_directory.h"

namespace davit::token_registry {

// Connections, refs and commits are in token_registry_service.cc, what is asked of providers in
// token_registry_service_provider.cc, rotation and OAuth in token_registry_service_oauth.cc, the rest in
// token_registry_service_credentials.cc.
class TokenRegistryServiceImpl : public registry::v1::TokenRegistry::Service {
 public:
  // All parameters must outlive the service.
  TokenRegistryServiceImpl(auth::CallGuard& guard, Store& store, ConnectionDirectory& connections,
                           RegistryCredentialDirectory& registry_credentials, WebhookDirectory& webhooks,
                           BuildCredentialBroker& broker, ProviderDirectory& providers, HookInstaller& hooks,
                           SecretVault& vault, OAuthDirectory& oauth)
      : guard_(guard),
        store_(store),
        connections_(connections),
        registry_credentials_(registry_credentials),
        webhooks_(webhooks),
        broker_(broker),
        providers_(providers),
        hooks_(hooks),
        vault_(vault),
        oauth_(oauth) {}

  grpc::Status CreateConnection(grpc::ServerContext* context, const registry::v1::CreateConnectionRequest* request,
                                registry::v1::CreateConnectionResponse* response) override;
  grpc::Status GetConnection(grpc::ServerContext* context, const registry::v1::GetConnectionRequest* request,
                             registry::v1::GetConnectionResponse* response) override;
  grpc::Status ListConnections(grpc::ServerContext* context, const registry::v1::ListConnectionsRequest* request,
                               registry::v1::ListConnectionsResponse* response) override;
  grpc::Status UpdateConnection(grpc::ServerContext* context, const registry::v1::UpdateConnectionRequest* request,
                                registry::v1::UpdateConnectionResponse* response) override;
  grpc::Status DeleteConnection(grpc::ServerContext* context, const registry::v1::DeleteConnectionRequest* request,
                                registry::v1::DeleteConnectionResponse* response) override;
  grpc::Status VerifyConnection(grpc::ServerContext* context, const registry::v1::VerifyConnectionRequest* request,
                                registry::v1::VerifyConnectionResponse* response) override;
  grpc::Status ListRefs(grpc::ServerContext* context, const registry::v1::ListRefsRequest* request,
                        registry::v1::ListRefsResponse* response) override;
  grpc::Status GetCommit(grpc::ServerContext* context, const registry::v1::GetCommitRequest* request,
                         registry::v1::GetCommitResponse* response) override;
  grpc::Status CreateRegistryCredential(grpc::ServerContext* context,
                                        const registry::v1::CreateRegistryCredentialRequest* request,
                                        registry::v1::CreateRegistryCredentialResponse* response) override;
  grpc::Status GetRegistryCredential(grpc::ServerContext* context,
                                     const registry::v1::GetRegistryCredentialRequest* request,
                                     registry::v1::GetRegistryCredentialResponse* response) override;
  grpc::Status ListRegistryCredentials(grpc::ServerContext* context,
                                       const registry::v1::ListRegistryCredentialsRequest* request,
                                       registry::v1::ListRegistryCredentialsResponse* response) override;
  grpc::Status DeleteRegistryCredential(grpc::ServerContext* context,
                                        const registry::v1::DeleteRegistryCredentialRequest* request,
                                        registry::v1::DeleteRegistryCredentialResponse* response) override;
  grpc::Status CreateWebhook(grpc::ServerContext* context, const registry::v1::CreateWebhookRequest* request,
                             registry::v1::CreateWebhookResponse* response) override;
  grpc::Status ListWebhooks(grpc::ServerContext* context, const registry::v1::ListWebhooksRequest* request,
                            registry::v1::ListWebhooksResponse* response) override;
  grpc::Status DeleteWebhook(grpc::ServerContext* context, const registry::v1::DeleteWebhookRequest* request,
                             registry::v1::DeleteWebhookResponse* response) override;
  grpc::Status GetWebhookSecret(grpc::ServerContext* context, const registry::v1::GetWebhookSecretRequest* request,
                                registry::v1::GetWebhookSecretResponse* response) override;
  grpc::Status GrantBuildCredentials(grpc::ServerContext* context,
                                     const registry::v1::GrantBuildCredentialsRequest* request,
                                     registry::v1::GrantBuildCredentialsResponse* response) override;
  grpc::Status RevokeBuildCredentials(grpc::ServerContext* context,
                                      const registry::v1::RevokeBuildCredentialsRequest* request,
                                      registry::v1::RevokeBuildCredentialsResponse* response) override;
  grpc::Status IssueBuildCredentials(grpc::ServerContext* context,
                                     const registry::v1::IssueBuildCredentialsRequest* request,
                                     registry::v1::IssueBuildCredentialsResponse* response) override;
  grpc::Status IssuePublishCredentials(grpc::ServerContext* context,
                                       const registry::v1::IssuePublishCredentialsRequest* request,
                                       registry::v1::IssuePublishCredentialsResponse* response) override;
  grpc::Status ListRepositories(grpc::ServerContext* context, const registry::v1::ListRepositoriesRequest* request,
                                registry::v1::ListRepositoriesResponse* response) override;
  grpc::Status ListOrganizations(grpc::ServerContext* context, const registry::v1::ListOrganizationsRequest* request,
                                 registry::v1::ListOrganizationsResponse* response) override;
  grpc::Status ListChangedPaths(grpc::ServerContext* context, const registry::v1::ListChangedPathsRequest* request,
                                registry::v1::ListChangedPathsResponse* response) override;
  grpc::Status SetCommitStatus(grpc::ServerContext* context, const registry::v1::SetCommitStatusRequest* request,
                               registry::v1::SetCommitStatusResponse* response) override;
  grpc::Status EnsureWebhook(grpc::ServerContext* context, const registry::v1::EnsureWebhookRequest* request,
                             registry::v1::EnsureWebhookResponse* response) override;
  grpc::Status RemoveWebhook(grpc::ServerContext* context, const registry::v1::RemoveWebhookRequest* request,
                             registry::v1::RemoveWebhookResponse* response) override;
  grpc::Status RotateConnectionToken(grpc::ServerContext* context,
                                     const registry::v1::RotateConnectionTokenRequest* request,
                                     registry::v1::RotateConnectionTokenResponse* response) override;
  grpc::Status BeginOAuth(grpc::ServerContext* context, const registry::v1::BeginOAuthRequest* request,
                          registry::v1::BeginOAuthResponse* response) override;
  grpc::Status FinishOAuth(grpc::ServerContext* context, const registry::v1::FinishOAuthRequest* request,
                           registry::v1::FinishOAuthResponse* response) override;
  grpc::Status ListSecretAccesses(grpc::ServerContext* context, const registry::v1::ListSecretAccessesRequest* request,
                                  registry::v1::ListSecretAccessesResponse* response) override;
  grpc::Status RotateKeys(grpc::ServerContext* context, const registry::v1::RotateKeysRequest* request,
                          registry::v1::RotateKeysResponse* response) override;

 private:
  auth::CallGuard& guard_;
  Store& store_;
  ConnectionDirectory& connections_;
  RegistryCredentialDirectory& registry_credentials_;
  WebhookDirectory& webhooks_;
  BuildCredentialBroker& broker_;
  ProviderDirectory& providers_;
  HookInstaller& hooks_;
  SecretVault& vault_;
  OAuthDirectory& oauth_;
};

}  // namespace davit::token_registry
