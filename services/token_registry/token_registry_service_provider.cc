// Implements of token_registry_service.h what is asked of providers, the rotation of keys and the audit log.
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/page_token.h"
#include "services/token_registry/proto_conversion.h"
#include "services/token_registry/token_registry_service.h"

namespace davit::token_registry {

using auth::Permission;

namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 100;  // The providers' own bound.
constexpr int kMaxPageNumber = 1'000'000;
constexpr int kDefaultBatch = 100;
constexpr int kMaxBatch = 1000;

// The providers number their pages; the token holds the number.
absl::StatusOr<ProviderPage> ParseProviderPage(int page_size, const std::string& page_token) {
  if (page_size < 0 || page_size > kMaxPageSize) {
    return absl::InvalidArgumentError("page_size: must be 1 to 100, or 0 for the default of 50");
  }
  ProviderPage page;
  page.size = page_size == 0 ? kDefaultPageSize : page_size;
  if (page_token.empty()) return page;
  DAVIT_ASSIGN_OR_RETURN(const Page parsed, ParsePage(0, page_token));
  if (!absl::SimpleAtoi(parsed.after, &page.number) || page.number < 1 || page.number > kMaxPageNumber) {
    return absl::InvalidArgumentError("page_token: is not a next_page_token of an earlier page");
  }
  return page;
}

template <typename Item>
std::string NextPageToken(const Listed<Item>& listed, const ProviderPage& page) {
  return listed.more ? FormatPageToken(absl::StrCat(page.number + 1)) : "";
}

absl::StatusOr<CommitState> FromProto(registry::v1::CommitState state) {
  if (state < registry::v1::COMMIT_STATE_PENDING || state > registry::v1::COMMIT_STATE_CANCELLED) {
    return absl::InvalidArgumentError("state: required: one of CommitState's values");
  }
  return static_cast<CommitState>(state);
}

}  // namespace

grpc::Status TokenRegistryServiceImpl::ListRepositories(grpc::ServerContext* context,
                                                        const registry::v1::ListRepositoriesRequest* request,
                                                        registry::v1::ListRepositoriesResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReadSource));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const ProviderPage page, ParseProviderPage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(const auto listed,
                           providers_.ListRepositories(caller, project, request->connection_id(),
                                                       {request->query(), request->organization()}, page));
    for (const RemoteRepository& repository : listed.items) {
      registry::v1::Repository* const message = response->add_repositories();
      message->set_path(repository.path);
      message->set_default_branch(repository.default_branch);
      message->set_private_(repository.is_private);
      message->set_archived(repository.is_archived);
      message->set_web_url(repository.web_url);
    }
    response->set_next_page_token(NextPageToken(listed, page));
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::ListOrganizations(grpc::ServerContext* context,
                                                         const registry::v1::ListOrganizationsRequest* request,
                                                         registry::v1::ListOrganizationsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReadSource));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const ProviderPage page, ParseProviderPage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(const auto listed,
                           providers_.ListOrganizations(caller, project, request->connection_id(), page));
    for (const Organization& organization : listed.items) {
      registry::v1::Organization* const message = response->add_organizations();
      message->set_path(organization.path);
      message->set_display_name(organization.display_name);
    }
    response->set_next_page_token(NextPageToken(listed, page));
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::ListChangedPaths(grpc::ServerContext* context,
                                                        const registry::v1::ListChangedPathsRequest* request,
                                                        registry::v1::ListChangedPathsResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReadSource));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const ChangedPaths changed,
                           providers_.ListChangedPaths(caller, project, request->connection_id(), request->repository(),
                                                       request->before(), request->after()));
    response->mutable_paths()->Assign(changed.paths.begin(), changed.paths.end());
    response->set_incomplete(changed.incomplete);
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::SetCommitStatus(grpc::ServerContext* context,
                                                       const registry::v1::SetCommitStatusRequest* request,
                                                       registry::v1::SetCommitStatusResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReportStatus));
    if (request->project().empty()) return absl::InvalidArgumentError("project: required");
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    CommitStatus status;
    status.repository = request->repository();
    status.commit = request->commit();
    status.ref = request->ref();
    status.context = request->context();
    DAVIT_ASSIGN_OR_RETURN(status.state, FromProto(request->state()));
    status.description = request->description();
    status.target_url = request->target_url();
    DAVIT_ASSIGN_OR_RETURN(
        const StatusOutcome outcome,
        providers_.SetCommitStatus(caller, project, request->connection_id(), status, request->build_id()));
    response->set_outcome(static_cast<registry::v1::SetCommitStatusResponse::Outcome>(outcome.kind));
    response->set_reason(outcome.reason);
    if (outcome.retry_after > absl::ZeroDuration()) {
      *response->mutable_retry_after() =
          google::protobuf::util::TimeUtil::MillisecondsToDuration(absl::ToInt64Milliseconds(outcome.retry_after));
    }
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::EnsureWebhook(grpc::ServerContext* context,
                                                     const registry::v1::EnsureWebhookRequest* request,
                                                     registry::v1::EnsureWebhookResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kWriteConnections));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const EnsuredWebhook ensured,
                           hooks_.Ensure(caller, project, request->connection_id(), request->repository()));
    ToProto(ensured.webhook, response->mutable_webhook());
    response->set_change(static_cast<registry::v1::EnsureWebhookResponse::Change>(ensured.change));
    response->set_url(ensured.url);
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::RemoveWebhook(grpc::ServerContext* context,
                                                     const registry::v1::RemoveWebhookRequest* request,
                                                     registry::v1::RemoveWebhookResponse*) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kRemoveWebhooks));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    return hooks_.Remove(caller, project, request->id());
  }());
}

grpc::Status TokenRegistryServiceImpl::RotateKeys(grpc::ServerContext* context,
                                                  const registry::v1::RotateKeysRequest* request,
                                                  registry::v1::RotateKeysResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kOperateSystem));
    if (request->batch_size() < 0 || request->batch_size() > kMaxBatch) {
      return absl::InvalidArgumentError("batch_size: must be 1 to 1000, or 0 for the default of 100");
    }
    DAVIT_ASSIGN_OR_RETURN(const KeyRotation rotation,
                           vault_.RotateBatch(request->batch_size() == 0 ? kDefaultBatch : request->batch_size()));
    response->set_key_id(rotation.key_id);
    response->set_rewrapped(rotation.rewrapped);
    response->set_remaining(rotation.remaining);
    return absl::OkStatus();
  }());
}

grpc::Status TokenRegistryServiceImpl::ListSecretAccesses(grpc::ServerContext* context,
                                                          const registry::v1::ListSecretAccessesRequest* request,
                                                          registry::v1::ListSecretAccessesResponse* response) {
  return rpc::ToGrpcStatus([&]() -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(*context, Permission::kReadAuditLog));
    DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request->project()));
    DAVIT_ASSIGN_OR_RETURN(const Page page, ParsePage(request->page_size(), request->page_token()));
    DAVIT_ASSIGN_OR_RETURN(
        auto accesses, store_.ListSecretAccesses(project, {request->record_id(), request->build_id()}, OneMore(page)));
    if (accesses.size() > static_cast<size_t>(page.size)) {
      accesses.resize(page.size);
      response->set_next_page_token(FormatPageToken(absl::StrCat(accesses.back().number)));
    }
    for (const SecretAccess& access : accesses) ToProto(access, response->add_accesses());
    return absl::OkStatus();
  }());
}

}  // namespace davit::token_registry
