// Implements the registration over gRPC.
#include "services/standalone/registry_registration.h"

#include <grpcpp/channel.h>

#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::standalone {
namespace {

namespace v1 = ::davit::registry::v1;

constexpr char kProject[] = "default";
constexpr absl::Duration kTimeout = absl::Seconds(20);

}  // namespace

absl::Status RegisterRegistryCredential(const std::shared_ptr<grpc::Channel>& channel,
                                        const RegistryRegistration& registration) {
  const auto stub = v1::TokenRegistry::NewStub(channel);
  std::string page_token;
  do {
    grpc::ClientContext context;
    rpc::SetDeadline(context, kTimeout);
    v1::ListRegistryCredentialsRequest request;
    request.set_project(kProject);
    request.set_page_size(500);
    request.set_page_token(page_token);
    v1::ListRegistryCredentialsResponse response;
    DAVIT_RETURN_IF_ERROR(Annotate(rpc::FromGrpcStatus(stub->ListRegistryCredentials(&context, request, &response)),
                                   "Failed to list registry credentials"));
    for (const v1::RegistryCredential& credential : response.registry_credentials()) {
      if (credential.display_name() != registration.display_name) continue;
      if (credential.registry() == registration.registry) return absl::OkStatus();
      grpc::ClientContext delete_context;
      rpc::SetDeadline(delete_context, kTimeout);
      v1::DeleteRegistryCredentialRequest remove;
      remove.set_project(kProject);
      remove.set_id(credential.id());
      v1::DeleteRegistryCredentialResponse removed;
      DAVIT_RETURN_IF_ERROR(
          Annotate(rpc::FromGrpcStatus(stub->DeleteRegistryCredential(&delete_context, remove, &removed)),
                   "Failed to replace the registry's credential"));
    }
    page_token = response.next_page_token();
  } while (!page_token.empty());

  grpc::ClientContext context;
  rpc::SetDeadline(context, kTimeout);
  v1::CreateRegistryCredentialRequest request;
  request.set_project(kProject);
  request.mutable_registry_credential()->set_display_name(registration.display_name);
  request.mutable_registry_credential()->set_registry(registration.registry);
  request.mutable_registry_credential()->set_username(registration.username);
  request.set_password(registration.password.Reveal());
  v1::CreateRegistryCredentialResponse response;
  return Annotate(rpc::FromGrpcStatus(stub->CreateRegistryCredential(&context, request, &response)),
                  "Failed to register the registry's credential");
}

}  // namespace davit::standalone
