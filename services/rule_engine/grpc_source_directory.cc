// Calls of the token registry.
#include "services/rule_engine/grpc_source_directory.h"

#include <grpcpp/channel.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::rule_engine {
namespace {

constexpr absl::Duration kLookupTimeout = absl::Seconds(5);
// The registry asks the provider.
constexpr absl::Duration kResolveTimeout = absl::Seconds(30);
// Two comparisons of the provider's.
constexpr absl::Duration kCompareTimeout = absl::Seconds(45);
// As many refs as the registry lists.
constexpr int kMostRefs = 10000;

// The status for our caller. That the registry refuses our own token is no fault of the caller's.
absl::Status FromRegistry(const grpc::Status& answer) {
  const absl::Status status = rpc::FromGrpcStatus(answer);
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
      return status;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return absl::UnavailableError(
          absl::StrCat("the token registry refuses the rule engine's own token: ", status.message()));
    default:
      return absl::UnavailableError(absl::StrCat("the token registry does not answer: ", status.message()));
  }
}

}  // namespace

// Keeps gRPC's generated code out of the header.
class GrpcSourceDirectory::Stub {
 public:
  explicit Stub(std::shared_ptr<grpc::Channel> channel)
      : stub_(registry::v1::TokenRegistry::NewStub(channel)), secrets_(registry::v1::BuildSecrets::NewStub(channel)) {}

  // Makes one unary call with a deadline and the request's id.
  template <typename Method, typename Request, typename Response>
  absl::Status Call(Method method, absl::Duration timeout, const std::string& request_id, const Request& request,
                    Response& response) {
    grpc::ClientContext context;
    rpc::SetDeadline(context, timeout);
    rpc::SetRequestId(context, request_id);
    return FromRegistry(((*stub_).*method)(&context, request, &response));
  }

  absl::Status GetSecret(const std::string& request_id, const registry::v1::GetSecretRequest& request) {
    grpc::ClientContext context;
    rpc::SetDeadline(context, kLookupTimeout);
    rpc::SetRequestId(context, request_id);
    registry::v1::GetSecretResponse response;
    return FromRegistry(secrets_->GetSecret(&context, request, &response));
  }

 private:
  const std::unique_ptr<registry::v1::TokenRegistry::Stub> stub_;
  const std::unique_ptr<registry::v1::BuildSecrets::Stub> secrets_;
};

GrpcSourceDirectory::GrpcSourceDirectory(std::shared_ptr<grpc::Channel> token_registry)
    : stub_(std::make_unique<Stub>(std::move(token_registry))) {}

GrpcSourceDirectory::~GrpcSourceDirectory() = default;

absl::StatusOr<SourceConnection> GrpcSourceDirectory::GetConnection(const std::string& project, const std::string& id,
                                                                    const std::string& request_id) {
  registry::v1::GetConnectionRequest request;
  request.set_project(project);
  request.set_id(id);
  registry::v1::GetConnectionResponse response;
  DAVIT_RETURN_IF_ERROR(
      stub_->Call(&registry::v1::TokenRegistry::Stub::GetConnection, kLookupTimeout, request_id, request, response));
  const bool generic = response.connection().provider() == registry::v1::PROVIDER_GENERIC_GIT;
  return SourceConnection{generic ? NameCase::kSensitive : NameCase::kInsensitive};
}

absl::StatusOr<DestinationCredential> GrpcSourceDirectory::GetRegistryCredential(const std::string& project,
                                                                                 const std::string& id,
                                                                                 const std::string& request_id) {
  registry::v1::GetRegistryCredentialRequest request;
  request.set_project(project);
  request.set_id(id);
  registry::v1::GetRegistryCredentialResponse response;
  DAVIT_RETURN_IF_ERROR(stub_->Call(&registry::v1::TokenRegistry::Stub::GetRegistryCredential, kLookupTimeout,
                                    request_id, request, response));
  return DestinationCredential{response.registry_credential().registry()};
}

absl::Status GrpcSourceDirectory::CheckSecret(const std::string& project, const std::string& name,
                                              const std::string& request_id) {
  registry::v1::GetSecretRequest request;
  request.set_project(project);
  request.set_name(name);
  return stub_->GetSecret(request_id, request);
}

absl::StatusOr<ResolvedRevision> GrpcSourceDirectory::Resolve(const Rule& rule, const std::string& revision,
                                                              const std::string& request_id) {
  registry::v1::GetCommitRequest request;
  request.set_project(rule.project);
  request.set_connection_id(rule.connection_id);
  request.set_repository(rule.repository);
  request.set_revision(revision);
  registry::v1::GetCommitResponse response;
  DAVIT_RETURN_IF_ERROR(
      stub_->Call(&registry::v1::TokenRegistry::Stub::GetCommit, kResolveTimeout, request_id, request, response));
  return ResolvedRevision{response.commit().id(), response.commit().ref()};
}

absl::StatusOr<ChangedPaths> GrpcSourceDirectory::ListChangedPaths(const ChangeRequest& asked) {
  registry::v1::ListChangedPathsRequest request;
  request.set_project(asked.project);
  request.set_connection_id(asked.connection_id);
  request.set_repository(asked.repository);
  request.set_before(asked.before);
  request.set_after(asked.after);
  registry::v1::ListChangedPathsResponse response;
  DAVIT_RETURN_IF_ERROR(stub_->Call(&registry::v1::TokenRegistry::Stub::ListChangedPaths, kCompareTimeout,
                                    asked.event_id, request, response));
  return ChangedPaths{{response.paths().begin(), response.paths().end()}, response.incomplete()};
}

absl::StatusOr<RemoteHeads> GrpcSourceDirectory::ListHeads(const std::string& project, const std::string& connection_id,
                                                           const std::string& repository) {
  registry::v1::ListRefsRequest request;
  request.set_project(project);
  request.set_connection_id(connection_id);
  request.set_repository(repository);
  registry::v1::ListRefsResponse response;
  DAVIT_RETURN_IF_ERROR(
      stub_->Call(&registry::v1::TokenRegistry::Stub::ListRefs, kResolveTimeout, "reconciler", request, response));
  RemoteHeads heads;
  for (const registry::v1::RemoteRef& ref : response.refs()) heads.commits.emplace(ref.name(), ref.commit());
  heads.cut_short = response.refs_size() >= kMostRefs;
  return heads;
}

}  // namespace davit::rule_engine
