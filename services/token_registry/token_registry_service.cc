// Implements the connections and repositories of token_registry_service.h.
#include "services/token_registry/token_registry_service.h"

#include "absl/strings/str_cat.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/page_token.h"
#include "services/token_registry/proto_conversion.h"

namespace davit::token_registry {

using auth::Permission;

namespace {

constexpr int kMaxRefs = 10000;

// What an update request changes. INVALID_ARGUMENT `update_mask: …`.
absl::StatusOr<ConnectionChange> ChangeOf(const registry::v1::UpdateConnectionRequest& request) {
  ConnectionChange change;
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "display_name") {
      change.display_name = request.connection().display_name();
    } else if (path == "username") {
      change.username = request.connection().username();
    } else if (path == "probe_repository") {
      change.probe_repository = request.connection().probe_repository();
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "update_mask: ", path, " cannot be changed; only display_name, username and probe_repository can"));
    }
  }
  if (!request.token().empty()) {
    return absl::InvalidArgumentError("token: cannot be changed here; use RotateConnectionToken");
  }
  return change;
}

}  // namespace

grpc::Status TokenRegistryServiceImpl::CreateConnection(grpc::ServerContext* context,
                                                        const registry::v1::CreateConnectionRequest* request,
                                                        registry::v1::CreateConnectionResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    Connection draft;
    draft.project = project;
    draft.display_name = request->connection().display_name();
    DAVIT_ASSIGN_OR_RETURN(draft.provider, FromProto(request->connection().provider()));
    draft.base_url = request->connection().base_url();
    draft.username = request->connection().username();
    draft.probe_repository = request->connection().probe_repository();
    DAVIT_ASSIGN_OR_RETURN(const Connection made,
                           connections_.Create(std::move(draft), crypto::SecretString(request->token())));
    ToProto(made, response->mutable_connection());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::GetConnection(grpc::ServerContext* context,
                                                     const registry::v1::GetConnectionRequest* request,
                                                     registry::v1::GetConnectionResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRead));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Connection connection, store_.GetConnection(project, request->id()));
    ToProto(connection, response->mutable_connection());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::ListConnections(grpc::ServerContext* context,
                                                       const registry::v1::ListConnectionsRequest* request,
                                                       registry::v1::ListConnectionsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRead));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Page page, ParsePage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(auto connections, store_.ListConnections(project, OneMore(page)));
    response->set_next_page_token(CutToPage(connections, page, &Connection::display_name));
    for (const Connection& connection : connections) ToProto(connection, response->add_connections());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::UpdateConnection(grpc::ServerContext* context,
                                                        const registry::v1::UpdateConnectionRequest* request,
                                                        registry::v1::UpdateConnectionResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const ConnectionChange change, ChangeOf(*request));
    DAVIT_ASSIGN_OR_RETURN(const Connection connection,
                           connections_.Update(caller, project, request->connection().id(), change));
    ToProto(connection, response->mutable_connection());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::DeleteConnection(grpc::ServerContext* context,
                                                        const registry::v1::DeleteConnectionRequest* request,
                                                        registry::v1::DeleteConnectionResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const std::vector<LeftHook> left, hooks_.DeleteConnection(caller, project, request->id()));
    for (const LeftHook& hook : left) {
      registry::v1::DeleteConnectionResponse::LeftWebhook* const message = response->add_left_webhooks();
      message->set_repository(hook.repository);
      message->set_provider_hook_id(hook.provider_hook_id);
      message->set_reason(hook.reason);
    }
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::VerifyConnection(grpc::ServerContext* context,
                                                        const registry::v1::VerifyConnectionRequest* request,
                                                        registry::v1::VerifyConnectionResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Connection connection, connections_.Verify(caller, project, request->id()));
    ToProto(connection, response->mutable_connection());
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::ListRefs(grpc::ServerContext* context,
                                                const registry::v1::ListRefsRequest* request,
                                                registry::v1::ListRefsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReadSource));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const RemoteRefs remote,
                           connections_.ListRefs(caller, project, request->connection_id(), request->repository()));
    for (const RemoteRef& ref : remote.refs) {
      if (response->refs_size() == kMaxRefs) break;
      registry::v1::RemoteRef* const message = response->add_refs();
      message->set_name(ref.name);
      message->set_commit(ref.commit);
    }
    response->set_default_branch(remote.default_branch);
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::GetCommit(grpc::ServerContext* context,
                                                 const registry::v1::GetCommitRequest* request,
                                                 registry::v1::GetCommitResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReadSource));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(
        const ResolvedCommit commit,
        connections_.GetCommit(caller, project, request->connection_id(), request->repository(), request->revision()));
    response->mutable_commit()->set_id(commit.id);
    response->mutable_commit()->set_ref(commit.ref);
    response->mutable_commit()->set_clone_url(commit.clone_url);
    return absl::OkStatus();
  }());
}

}  // namespace davit::token_registry
