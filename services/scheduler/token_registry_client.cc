// Implements token_registry_client.h.
#include "services/scheduler/token_registry_client.h"

#include <grpcpp/channel.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "google/protobuf/util/time_util.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"

namespace davit::scheduler {
namespace {

namespace v1 = ::davit::registry::v1;

}  // namespace

struct TokenRegistryClient::Stub {
  std::unique_ptr<v1::TokenRegistry::Stub> rpc;
  std::unique_ptr<v1::BuildSecrets::Stub> secrets;
};

TokenRegistryClient::TokenRegistryClient(std::shared_ptr<grpc::Channel> channel, absl::Duration timeout)
    : stub_(std::make_unique<Stub>()), timeout_(timeout) {
  stub_->secrets = v1::BuildSecrets::NewStub(channel);
  stub_->rpc = v1::TokenRegistry::NewStub(std::move(channel));
}

TokenRegistryClient::~TokenRegistryClient() = default;

absl::StatusOr<ResolvedRevision> TokenRegistryClient::ResolveRevision(const std::string& project,
                                                                      const std::string& connection_id,
                                                                      const std::string& repository,
                                                                      const std::string& revision,
                                                                      const std::string& request_id) {
  v1::GetCommitRequest request;
  request.set_project(project);
  request.set_connection_id(connection_id);
  request.set_repository(repository);
  request.set_revision(revision);
  v1::GetCommitResponse response;
  grpc::ClientContext context;
  rpc::SetDeadline(context, timeout_);
  rpc::SetRequestId(context, request_id);
  DAVIT_RETURN_IF_ERROR(rpc::FromGrpcStatus(stub_->rpc->GetCommit(&context, request, &response)));
  return ResolvedRevision{response.commit().id(), response.commit().ref()};
}

absl::StatusOr<std::string> TokenRegistryClient::ResolveRegistryCredential(const std::string& project,
                                                                           const std::string& registry,
                                                                           const std::string& id,
                                                                           const std::string& request_id) {
  if (!id.empty()) {
    v1::GetRegistryCredentialRequest request;
    request.set_project(project);
    request.set_id(id);
    v1::GetRegistryCredentialResponse response;
    grpc::ClientContext context;
    rpc::SetDeadline(context, timeout_);
    rpc::SetRequestId(context, request_id);
    DAVIT_RETURN_IF_ERROR(rpc::FromGrpcStatus(stub_->rpc->GetRegistryCredential(&context, request, &response)));
    if (response.registry_credential().registry() != registry) {
      return absl::InvalidArgumentError(
          absl::StrCat("the credential is for ", response.registry_credential().registry(), ", not for ", registry));
    }
    return id;
  }
  std::vector<std::string> fitting;
  v1::ListRegistryCredentialsRequest request;
  request.set_project(project);
  request.set_page_size(500);
  do {
    v1::ListRegistryCredentialsResponse response;
    grpc::ClientContext context;
    rpc::SetDeadline(context, timeout_);
    rpc::SetRequestId(context, request_id);
    DAVIT_RETURN_IF_ERROR(rpc::FromGrpcStatus(stub_->rpc->ListRegistryCredentials(&context, request, &response)));
    for (const v1::RegistryCredential& credential : response.registry_credentials()) {
      if (credential.registry() == registry) fitting.push_back(credential.id());
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return fitting.size() == 1 ? fitting.front() : std::string();
}

absl::Status TokenRegistryClient::CheckSecret(const std::string& project, const std::string& name,
                                              const std::string& request_id) {
  v1::GetSecretRequest request;
  request.set_project(project);
  request.set_name(name);
  v1::GetSecretResponse response;
  grpc::ClientContext context;
  rpc::SetDeadline(context, timeout_);
  rpc::SetRequestId(context, request_id);
  return rpc::FromGrpcStatus(stub_->secrets->GetSecret(&context, request, &response));
}

absl::Status TokenRegistryClient::Grant(const std::string& project, const std::string& build_id, int64_t fence,
                                        const GrantScope& scope, absl::Time expire_time) {
  v1::GrantBuildCredentialsRequest request;
  request.set_project(project);
  request.set_build_id(build_id);
  request.set_fence(fence);
  request.mutable_scope()->set_connection_id(scope.connection_id);
  request.mutable_scope()->set_repository(scope.repository);
  request.mutable_scope()->set_registry_credential_id(scope.registry_credential_id);
  request.mutable_scope()->set_image_repository(scope.image_repository);
  request.mutable_scope()->mutable_secrets()->Assign(scope.secrets.begin(), scope.secrets.end());
  *request.mutable_expire_time() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(expire_time));
  v1::GrantBuildCredentialsResponse response;
  grpc::ClientContext context;
  rpc::SetDeadline(context, timeout_);
  return rpc::FromGrpcStatus(stub_->rpc->GrantBuildCredentials(&context, request, &response));
}

absl::Status TokenRegistryClient::Revoke(const std::string& project, const std::string& build_id, int64_t fence) {
  v1::RevokeBuildCredentialsRequest request;
  request.set_project(project);
  request.set_build_id(build_id);
  request.set_fence(fence);
  v1::RevokeBuildCredentialsResponse response;
  grpc::ClientContext context;
  rpc::SetDeadline(context, timeout_);
  return rpc::FromGrpcStatus(stub_->rpc->RevokeBuildCredentials(&context, request, &response));
}

absl::StatusOr<PublishCredential> TokenRegistryClient::IssuePublishCredential(const std::string& project,
                                                                              const std::string& build_id,
                                                                              const std::string& registry_credential_id,
                                                                              const std::string& image_repository) {
  v1::IssuePublishCredentialsRequest request;
  request.set_project(project);
  request.set_build_id(build_id);
  request.set_registry_credential_id(registry_credential_id);
  request.set_image_repository(image_repository);
  v1::IssuePublishCredentialsResponse response;
  grpc::ClientContext context;
  rpc::SetDeadline(context, timeout_);
  DAVIT_RETURN_IF_ERROR(rpc::FromGrpcStatus(stub_->rpc->IssuePublishCredentials(&context, request, &response)));
  return PublishCredential{response.registry().username(), crypto::SecretString(response.registry().password())};
}

absl::StatusOr<ReportAnswer> TokenRegistryClient::SetCommitStatus(const CommitReport& report) {
  v1::SetCommitStatusRequest request;
  request.set_project(report.project);
  request.set_connection_id(report.connection_id);
  request.set_repository(report.repository);
  request.set_commit(report.commit);
  request.set_ref(report.ref);
  request.set_context(report.context);
  request.set_state(static_cast<v1::CommitState>(report.state));
  request.set_description(report.description);
  request.set_target_url(report.target_url);
  request.set_build_id(report.build_id);
  v1::SetCommitStatusResponse response;
  grpc::ClientContext context;
  rpc::SetDeadline(context, timeout_);
  DAVIT_RETURN_IF_ERROR(rpc::FromGrpcStatus(stub_->rpc->SetCommitStatus(&context, request, &response)));
  return ReportAnswer{
      static_cast<ReportOutcome>(response.outcome()), response.reason(),
      absl::Milliseconds(google::protobuf::util::TimeUtil::DurationToMilliseconds(response.retry_after()))};
}

}  // namespace davit::scheduler
